"""Standard streams that are closed, or whose encoding lacks some characters."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

__all__ = ["decoded", "discard", "encodable_path", "prepare_streams"]


def prepare_streams() -> None:
    """Make the standard streams safe to use, even if the caller has closed them.

    - The file descriptor of a closed stream is connected to the null device. Otherwise, the next
      file to be opened would get this descriptor, and with it what is written to the stream.
    - Writing to a closed standard output is an error; messages to a closed standard error are lost.
    - Characters that the encoding of a stream lacks are escaped.
    """
    for number, flags in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def discard(stream: TextIO) -> None:
    """Discard buffered output, so that the interpreter exits without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def decoded(argument: str) -> str:
    """Return a command-line argument, decoded as UTF-8 if the locale's encoding failed."""
    try:
        argument.encode()
    except UnicodeEncodeError:  # it contains bytes that were not decoded
        return os.fsencode(argument).decode("utf-8", "surrogateescape")
    return argument


def encodable_path(name: str) -> str:
    """Return a `decoded` argument as a file name that the locale's encoding can represent."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return os.fsdecode(name.encode("utf-8", "surrogateescape"))
    return name
