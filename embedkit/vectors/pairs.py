"""Files of pairs of words: ``king:queen``, or two words on a line."""

from __future__ import annotations

from pathlib import Path

from embedkit.corpus.encodings import read_lines
from embedkit.corpus.tokenizers import SEPARATORS
from embedkit.errors import QuestionError
from embedkit.vectors.word_lists import WordReader

__all__ = ["pair_lines", "placed_pair", "read_pairs"]


def pair_lines(path: Path) -> list[tuple[str, str]]:
    """Return the place ("FILE, line 3") and the text of each line that is not blank.

    Raises:
        QuestionError: the file, plain or compressed, cannot be read or has no pairs.
    """
    found = [
        (f"{path}, line {number}", line)
        for number, line in enumerate(read_lines(path, str(path), QuestionError), start=1)
        if line.strip(SEPARATORS)
    ]
    if not found:
        raise QuestionError(
            f"{path} has no pairs.", hint="Write one pair per line, such as king:queen."
        )
    return found


def read_pairs(path: Path, reader: WordReader | None = None) -> list[tuple[str, str]]:
    """Read a file with one pair per line, plain or compressed; blank lines are skipped.

    Args:
        path: the file.
        reader: reads a line; by default, no word contains a separator.

    Raises:
        QuestionError: the file cannot be read or has no pairs, or a line is not a pair. The
            message names the file and the line.
    """
    reader = reader or WordReader()
    return [placed_pair(reader, place, line) for place, line in pair_lines(path)]


def placed_pair(reader: WordReader, place: str, text: str) -> tuple[str, str]:
    """Return the pair in *text*.

    Raises:
        QuestionError: the text is not a pair; the message begins with *place*.
    """
    try:
        return reader.pair(text)
    except QuestionError as error:
        raise QuestionError(f"{place}: {error.message}", hint=error.hint) from error
