"""What the operating system is asked for: processors, and to take memory back.

Three kinds of memory stay with a process for no good reason: pages of a memory-mapped file that
were read, freed heap, and the code of a library that has done its work. Where the system has no
such call, they stay.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "forget_peak_memory",
    "peak_memory",
    "processors",
    "release_heap",
    "release_libraries",
    "release_pages",
]

_DONT_NEED = 4  # MADV_DONTNEED of Linux


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def forget_peak_memory() -> None:
    """Count `peak_memory` anew from what the process has now, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Return the most bytes that this process had at a time, with mapped files; 0 if not told."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)


def release_pages(array: NDArray[Any]) -> None:
    """Give up the pages of a memory-mapped array; what is read again comes from the page cache."""
    base = getattr(array, "_mmap", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def release_heap() -> None:
    """Give up the heap that was freed and kept for the next allocation."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)


def release_libraries(*names: str) -> None:
    """Give up the code and constants of shared libraries; what is used again is mapped again.

    Only mappings that are as in the file go: in others stands what the loader wrote.
    """
    if not sys.platform.startswith("linux"):
        return
    system = ctypes.CDLL(None)
    span, unchanged = "", False
    try:
        mappings = Path("/proc/self/smaps").read_text()
    except OSError:  # of a system that does not tell
        return
    for line in mappings.splitlines():
        field, _, value = line.partition(" ")
        if not field.endswith(":"):
            span = field
            unchanged = value.startswith("r-") and any(f"/{name}" in value for name in names)
        elif field == "Anonymous:" and unchanged and value.split() == ["0", "kB"]:
            start, end = (int(place, 16) for place in span.split("-"))
            system.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONT_NEED)
