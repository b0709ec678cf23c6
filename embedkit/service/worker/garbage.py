"""Garbage collection that does not stop requests.

A full collection examines every object of all modules, for about 50 milliseconds in which no thread
runs. So what modules contain is excluded, and what requests leave behind is collected regularly.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from itertools import count

__all__ = ["GarbageCollection"]

_FULL_SECONDS = 20  # between full collections
_NEVER = 1 << 30  # collections of middle-aged objects before a full one


class GarbageCollection:
    """Excludes modules from collections; while this is used, only `run` does full collections."""

    def __init__(self) -> None:
        self._modules = len(sys.modules)
        gc.collect()
        gc.freeze()
        self._thresholds = youngest, middle, _ = gc.get_threshold()
        gc.set_threshold(youngest, middle, _NEVER)

    def exclude_new_modules(self) -> None:
        """Exclude all objects that exist if modules were loaded since the last time.

        What requests in progress have allocated is excluded too. It is freed when they end, except
        for cycles, and modules are loaded only so often.
        """
        modules = len(sys.modules)
        if modules > self._modules:
            self._modules = modules
            gc.collect(1)
            gc.freeze()

    async def run(self) -> None:
        """Exclude modules that requests load, and collect garbage, until cancelled."""
        try:
            for second in count(1):
                await asyncio.sleep(1.0)
                self.exclude_new_modules()
                if second % _FULL_SECONDS == 0:
                    gc.collect()
        finally:
            gc.set_threshold(*self._thresholds)
            gc.unfreeze()
