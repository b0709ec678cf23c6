"""Reads pairs of words: ``king:queen``, or two words on a line."""

from __future__ import annotations

from pathlib import Path

from embedkit.corpus.encodings import read_lines
from embedkit.corpus.tokenizers import SEPARATORS, split_words
from embedkit.errors import QuestionError

__all__ = ["pair_of", "read_pairs"]


def pair_of(text: str) -> tuple[str, str]:
    """Split ``king:queen``, ``king queen`` or words with a tab between into two words;
    ``new york:albany`` gives ("new york", "albany").

    Raises:
        QuestionError: there are not exactly two words.
    """
    for separator in ("\t", ":", None):
        parts = text.split(separator) if separator else split_words(text)
        words = [word for part in parts if (word := part.strip(SEPARATORS))]
        if len(words) == 2:
            return words[0], words[1]
        if len(words) > 2:
            break
    raise QuestionError(f"expected two words, such as king:queen, got {text.strip()!r:.80}.")


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Read a file with one pair per line, plain or compressed; empty lines are skipped.

    Raises:
        QuestionError: the file cannot be read or has no pairs, or a line is not a pair. The
            message names the file and the line.
    """
    lines = read_lines(path, str(path), QuestionError)
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pairs.append(pair_of(line))
        except QuestionError as error:
            raise QuestionError(
                f"{path}, line {number}: {error.message}", hint=error.hint
            ) from error
    if not pairs:
        raise QuestionError(
            f"{path} has no pairs.", hint="Write one pair per line, such as king:queen."
        )
    return pairs
