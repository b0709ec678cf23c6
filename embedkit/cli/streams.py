"""Standard streams whose reader has closed them."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["discard"]


def discard(stream: TextIO) -> None:
    """Discard what is still to be written, so that the interpreter exits without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
