"""Standard streams whose reader has gone."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["discard"]


def discard(stream: TextIO) -> None:
    """Send what is still to be written nowhere, so that the interpreter can end quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
