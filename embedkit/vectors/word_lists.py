"""Reading several words: from a line, from a set with commas, from a pair with a colon.

The same rules apply to all of them. `SEPARATORS`, ASCII white space and control characters,
separate words, as in every file of words, so a no-break space is part of a word. A separator does
not count inside a word that the vocabulary has, or in double quotes: ``"new york"``, ``"1,000"``.
Within quotes, ``""`` stands for one quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import QuestionError, quoted

__all__ = ["WordReader", "written_set"]

_TAB, _COLON, _COMMA = re.compile("\t"), re.compile(":"), re.compile(",")
_SPACES = re.compile(f"[{SEPARATORS}]+")
_QUOTED = re.compile(f'(?<![^{SEPARATORS},:])"(?:[^"]|"")*"(?![^{SEPARATORS},:])')
_MOST_JOINED = 8  # parts that may form one word; limits how many combinations are looked up


class _Part(NamedTuple):
    """The text between two separators: where it starts and ends, and whether it is in quotes."""

    start: int
    end: int
    is_quoted: bool


class WordReader:
    """Reads words as people write them.

    Args:
        is_known: tells whether a text as a whole is a known word; by default, none is.
    """

    def __init__(self, is_known: Callable[[str], bool] = lambda text: False) -> None:
        self.is_known = is_known

    def word(self, text: str) -> str:
        """Return *text* as one word; quotes are removed unless they belong to a known word."""
        word = text.strip(SEPARATORS)
        is_quoted = _QUOTED.fullmatch(word) and not self.is_known(word)
        return word[1:-1].replace('""', '"') if is_quoted else word

    def line(self, text: str) -> list[str]:
        """Return words separated by tabs or, if there are none, by other white space.

        Between tabs, a known word may contain spaces; any other text is split at spaces.
        """
        words: list[str] = []
        for part in self._texts(text, _TAB):
            is_whole = _QUOTED.fullmatch(part) or ("\t" in text and self.is_known(part))
            words += map(self.word, [part] if is_whole else self._texts(part, _SPACES))
        return words

    def sets(self, text: str) -> list[str]:
        """Return the sets on a line, separated by tabs or, if there are none, by spaces."""
        return list(self._texts(text, _TAB if "\t" in text.strip(SEPARATORS) else _SPACES))

    def set(self, text: str) -> list[str]:
        """Return words separated by commas; the longest known word is preferred.

        Raises:
            QuestionError: a word is missing before, after or between commas.
        """
        text = text.strip(SEPARATORS)
        parts = self._longest(text, _COMMA, self.is_known) if text else []
        if not all(parts):
            raise QuestionError(
                f"a word is missing next to a comma in {quoted(text)}.",
                hint="Remove the comma, or put a word that contains it in quotes.",
            )
        return [self.word(part) for part in parts]

    def pair(self, text: str) -> tuple[str, str]:
        """Return two words separated by a tab, a colon or white space.

        The first of these separators that gives two known words is used. If none does, the first
        one that separates the text must give exactly two words.

        Raises:
            QuestionError: there are not exactly two words.
        """
        return self._known_pair(text) or self._plain_pair(text)

    def pairs(self, text: str) -> list[tuple[str, str]]:
        """Return pairs separated by commas; see `pair`.

        Raises:
            QuestionError: a part is not a pair.
        """

        def is_pair(part: str) -> bool:
            return self._known_pair(part) is not None

        parts = self._longest(text.strip(SEPARATORS), _COMMA, is_pair)
        if not all(parts):
            raise QuestionError(
                f"a pair is missing next to a comma in {quoted(text)}.", hint="Remove the comma."
            )
        return [self.pair(part) for part in parts]

    def _known_pair(self, text: str) -> tuple[str, str] | None:
        for separator in (_TAB, _COLON, _SPACES):
            for start, end in _separators(text, separator)[:_MOST_JOINED]:
                first, second = self.word(text[:start]), self.word(text[end:])
                if first and second and self.is_known(first) and self.is_known(second):
                    return first, second
        return None

    def _plain_pair(self, text: str) -> tuple[str, str]:
        for separator in (_TAB, _COLON, _SPACES):
            words = [self.word(part) for part in self._texts(text, separator)]
            if len(words) == 2:
                return words[0], words[1]
            if len(words) > 2:
                break
        text = text.strip(SEPARATORS)
        raise QuestionError(
            f"expected two words, such as king:queen, got {text!r:.80}.",
            hint='Put a word with a separator in quotes, such as "12:30":noon.'
            if len(words) > 2
            else "",
        )

    def _texts(self, text: str, separator: re.Pattern[str]) -> Iterable[str]:
        """Return the texts between separators that are not blank."""
        texts = (text[part.start : part.end].strip(SEPARATORS) for part in _parts(text, separator))
        return filter(None, texts)

    def _longest(
        self, text: str, separator: re.Pattern[str], is_whole: Callable[[str], bool]
    ) -> list[str]:
        """Return the texts between separators, as few as possible where *is_whole* allows it."""
        if is_whole(text):
            return [text]
        parts = _parts(text, separator)
        found: list[str] = []
        while parts:
            count = _longest_count(text, parts, is_whole)
            found.append(text[parts[0].start : parts[count - 1].end].strip(SEPARATORS))
            parts = parts[count:]
        return found


def _longest_count(text: str, parts: Sequence[_Part], is_whole: Callable[[str], bool]) -> int:
    """Return how many of the first *parts* together form one word; 1 if none do."""
    for count in range(min(len(parts), _MOST_JOINED), 1, -1):
        joined = text[parts[0].start : parts[count - 1].end].strip(SEPARATORS)
        if not any(part.is_quoted for part in parts[:count]) and is_whole(joined):
            return count
    return 1


def _parts(text: str, separator: re.Pattern[str]) -> list[_Part]:
    places = [(0, 0), *_separators(text, separator), (len(text), len(text))]
    ends = pairwise(places)
    return [
        _Part(start, end, bool(_QUOTED.fullmatch(text[start:end].strip(SEPARATORS))))
        for (_, start), (end, _) in ends
    ]


def _separators(text: str, separator: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return where separators start and end, without those in quotes."""
    quoted = [match.span() for match in _QUOTED.finditer(text)] if '"' in text else []
    return [
        match.span()
        for match in separator.finditer(text)
        if not any(start < match.start() < end for start, end in quoted)
    ]


def written_set(words: Iterable[str]) -> str:
    """Return words in the notation of a set: separated by commas, in quotes where needed."""
    return ",".join(
        '"' + word.replace('"', '""') + '"'
        if not word or any(character in word for character in f'{SEPARATORS},:"')
        else word
        for word in words
    )
