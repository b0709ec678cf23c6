"""Cut long documents into passages: overlapping windows of words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Passages", "cut"]

_WORD = re.compile(r"\S+")


@dataclass
class Passages:
    """The passages of some documents.

    Attributes:
        texts: the text of each passage.
        documents: the number of its document, in ascending order.
        spans: where it begins and ends in the text of its document, in characters.
    """

    texts: list[str] = field(default_factory=list)
    documents: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)


def cut(texts: Sequence[str], size: int, overlap: int) -> Passages:
    """Cut each text into windows of *size* words, separated by white space.

    Each window shares *overlap* words with the one before it. The last one is moved back, so that
    it has *size* words too. A text of at most *size* words is one passage.
    """
    found = Passages()
    for number, text in enumerate(texts):
        for start, stop in _spans(text, size, overlap):
            found.texts.append(text if stop - start == len(text) else text[start:stop])
            found.documents.append(number)
            found.spans.append((start, stop))
    return found


def _spans(text: str, size: int, overlap: int) -> list[tuple[int, int]]:
    if len(text) < 2 * size + 1:  # too short for more than *size* words
        return [(0, len(text))]
    words = [match.span() for match in _WORD.finditer(text)]
    if len(words) <= size:
        return [(0, len(text))]
    last = len(words) - size
    firsts = [*range(0, last, size - overlap), last]
    return [(words[first][0], words[first + size - 1][1]) for first in firsts]
