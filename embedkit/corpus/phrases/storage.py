r"""Phrases on disk: a line of settings, then tab-separated lines, the best of each pass first.

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

from embedkit.corpus.phrases.settings import PhraseSettings
from embedkit.errors import ConfigurationError, CorpusError
from embedkit.system.compression import DAMAGE, decompress

__all__ = ["Phrase", "read_phrases", "write_phrases"]

_HEAD = "# embedkit phrases "
_COLUMNS = 5
_SHORTEST = 2  # words


class Phrase(NamedTuple):
    """What is joined to one word.

    Attributes:
        words: as they stand in the text, in a second pass phrases of the first among them.
        score: higher than the threshold.
        occurrences: in the text.
    """

    words: tuple[str, ...]
    score: float
    occurrences: int


def write_phrases(
    file: BinaryIO, settings: PhraseSettings, passes: Sequence[Sequence[Phrase]]
) -> None:
    """Write phrases.

    Raises:
        ConfigurationError: a word has white space in it.
    """
    file.write(f"{_HEAD}{json.dumps(asdict(settings), ensure_ascii=False)}\n".encode())
    for number, found in enumerate(passes, start=1):
        for words, score, count in found:
            for word in words:
                if len(word.split()) != 1 or word != word.strip():
                    raise ConfigurationError(
                        f"the word {word!r:.60} has white space in it, so its phrases cannot be "
                        "written as lines."
                    )
            joined = settings.delimiter.join(words)
            line = f"{joined}\t{score!r}\t{count}\t{number}\t{' '.join(words)}\n"
            file.write(line.encode())


def read_phrases(path: Path) -> tuple[PhraseSettings, list[list[Phrase]]]:
    """Return the settings and the phrases of each pass.

    Raises:
        CorpusError: there is no such file, or it holds something else; the message names the line.
    """
    try:
        with path.open("rb") as raw:
            lines = decompress(raw).read().decode().split("\n")
    except (*DAMAGE, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"cannot read phrases from {path}: {reason}.") from error
    if not lines[0].startswith(_HEAD):
        raise CorpusError(
            f"{path} holds no phrases.", hint=f"embedkit phrases CORPUS --list {path} writes them."
        )
    number = 1
    try:
        settings = _settings(lines[0].removeprefix(_HEAD))
        passes: list[list[Phrase]] = []
        for line in lines[1:-1] if not lines[-1] else lines[1:]:
            number += 1
            turn, phrase = _phrase(line)
            if not len(passes) <= turn <= settings.passes or not turn:
                raise ValueError(
                    f"pass {turn} does not come after pass {len(passes)}, of {settings.passes}"
                )
            passes += [[] for _ in range(turn - len(passes))]
            passes[-1].append(phrase)
    except ValueError as error:
        raise CorpusError(
            f"{path}, line {number}: {error}.", hint="Write the phrases again."
        ) from error
    return settings, passes


def _settings(text: str) -> PhraseSettings:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the settings are no JSON") from None
    try:
        return PhraseSettings.of(**given)
    except TypeError:
        raise ValueError(f"{text:.60} are no settings of phrases") from None


def _phrase(line: str) -> tuple[int, Phrase]:
    """Return the pass of a phrase, from 1, and the phrase that a line holds."""
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        found = f"{len(columns)} column{'s' * (len(columns) != 1)}"
        raise ValueError(f"{found}, not {_COLUMNS}: joined form, score, count, pass, words")
    _, score, count, turn, joined = columns
    try:
        numbers = float(score), int(count), int(turn)
    except ValueError:
        raise ValueError(
            f"score, count and pass are numbers, not {score:.20}, {count:.20}, {turn:.20}"
        ) from None
    if not math.isfinite(numbers[0]) or numbers[1] < 1:
        raise ValueError(
            f"a finite score and a count from 1 are needed, not {score:.20} and {count:.20}"
        )
    words = tuple(joined.split(" "))
    if len(words) < _SHORTEST or not all(words):
        raise ValueError(f"{joined!r:.60} are not two words or more, with a space between them")
    return numbers[2], Phrase(words, numbers[0], numbers[1])
