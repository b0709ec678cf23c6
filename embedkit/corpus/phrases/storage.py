r"""The phrase file: a line of settings, then tab-separated lines, best of each pass first.

# embedkit phrases {"passes": 1, "scoring": "mikolov", ...}
new_york\t86.21\t5123\t1\tnew york
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, NamedTuple

from embedkit.corpus.encodings import read_lines
from embedkit.corpus.phrases.settings import PhraseSettings
from embedkit.corpus.tokenizers import split_words
from embedkit.errors import ConfigurationError, CorpusError, quoted

__all__ = ["Phrase", "read_phrases", "write_phrases"]

_HEAD = "# embedkit phrases "
_COLUMNS = 5
_SHORTEST = 2  # words


class Phrase(NamedTuple):
    """Words that are joined into one token.

    Attributes:
        words: as in the text; in later passes, they may be phrases of the previous pass.
        score: the score, which is higher than the threshold.
        occurrences: how often the phrase occurs in the text.
    """

    words: tuple[str, ...]
    score: float
    occurrences: int


def write_phrases(
    file: BinaryIO, settings: PhraseSettings, passes: Sequence[Sequence[Phrase]]
) -> None:
    """Write settings and phrases.

    Raises:
        ConfigurationError: a word contains white space.
    """
    file.write(f"{_HEAD}{json.dumps(asdict(settings), ensure_ascii=False)}\n".encode())
    for number, found in enumerate(passes, start=1):
        for words, score, count in found:
            for word in words:
                if split_words(word) != [word]:
                    raise ConfigurationError(
                        f"the word {quoted(word)} contains white space, so its phrases cannot be "
                        "written to a file."
                    )
            joined = settings.delimiter.join(words)
            line = f"{joined}\t{score!r}\t{count}\t{number}\t{' '.join(words)}\n"
            file.write(line.encode())


def read_phrases(path: Path) -> tuple[PhraseSettings, list[list[Phrase]]]:
    """Return the settings and the phrases of each pass.

    Raises:
        CorpusError: the file cannot be read or is not a phrase file; the message names the line.
    """
    lines = read_lines(path, str(path), CorpusError)
    if not lines or not lines[0].startswith(_HEAD):
        raise CorpusError(
            f"{path} is not a phrase file.",
            hint=f"Write one with: embedkit phrases CORPUS --list {path}.",
        )
    number = 1
    try:
        settings = _settings(lines[0].removeprefix(_HEAD))
        passes: list[list[Phrase]] = []
        for line in lines[1:]:
            number += 1
            pass_number, phrase = _phrase(line)
            if not len(passes) <= pass_number <= settings.passes or not pass_number:
                raise ValueError(
                    f"pass {pass_number} cannot follow pass {len(passes)} of {settings.passes}"
                )
            passes += [[] for _ in range(pass_number - len(passes))]
            passes[-1].append(phrase)
    except ValueError as error:
        raise CorpusError(
            f"{path}, line {number}: {error}.", hint="Write the phrase file again."
        ) from error
    return settings, passes


def _settings(text: str) -> PhraseSettings:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the settings are not JSON") from None
    try:
        return PhraseSettings.of(**given)
    except TypeError:
        raise ValueError(f"invalid settings {text:.60}") from None


def _phrase(line: str) -> tuple[int, Phrase]:
    """Return the pass, counted from 1, and the phrase of a line."""
    columns = line.split("\t")
    found = len(columns)
    if found != _COLUMNS:
        raise ValueError(
            f"expected {_COLUMNS} columns (joined form, score, count, pass, words), got {found}"
        )
    _, score, count, pass_number, joined = columns
    try:
        numbers = float(score), int(count), int(pass_number)
    except ValueError:
        raise ValueError(
            "score, count and pass must be numbers, got "
            f"{score:.20}, {count:.20} and {pass_number:.20}"
        ) from None
    if not math.isfinite(numbers[0]) or numbers[1] < 1:
        raise ValueError(
            f"the score must be finite and the count at least 1, got {score:.20} and {count:.20}"
        )
    words = tuple(joined.split(" "))
    if len(words) < _SHORTEST or not all(words):
        raise ValueError(f"expected two or more words joined by spaces, got {quoted(joined)}")
    return numbers[2], Phrase(words, numbers[0], numbers[1])
