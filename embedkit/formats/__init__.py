"""Files of words and vectors that other programs write and read.

A format is a file of this package and an entry of `registry.FORMATS`. It is told by content, never
by name, and so is how a file is compressed.
"""

from __future__ import annotations

from embedkit.formats.convert import Report, convert, detect, read, write
from embedkit.formats.registry import FORMATS, Format
from embedkit.formats.repairs import POLICIES

__all__ = ["FORMATS", "POLICIES", "Format", "Report", "convert", "detect", "read", "write"]
