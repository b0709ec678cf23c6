"""Work in small steps, between which other work can be done."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias, TypeVar

__all__ = ["Steps", "finish", "portions"]

Result = TypeVar("Result")
_LEAST = 16  # characters

Steps: TypeAlias = "Generator[None, None, Result]"
"""Yields after each step, at best every millisecond, and returns the result."""


def finish(steps: Steps[Result]) -> Result:
    """Do all steps without a break; return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def portions(words: Sequence[str], characters: int) -> Iterator[Sequence[str]]:
    """Split words into portions for one step each, of about this many *characters*.

    Even the shortest word counts as 16 characters, because each takes some time.
    """
    start = size = 0
    for stop, word in enumerate(words):
        cost = max(len(word), _LEAST)
        if size and size + cost > characters:
            yield words[start:stop]
            start, size = stop, 0
        size += cost
    if size:
        yield words[start:]
