r"""Phrases on disk: a line of settings, then tab-separated lines, the best of each pass first.

# embedkit phrases {"passes": 1, "scoring": "mikolov", ...}
new_york\t86.21\t5123\t1\tnew york
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, NamedTuple

from embedkit.compression import decompress
from embedkit.errors import ConfigurationError, CorpusError
from embedkit.phrases.settings import PhraseSettings

__all__ = ["Phrase", "read_phrases", "write_phrases"]

_HEAD = "# embedkit phrases "


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
    except (OSError, EOFError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CorpusError(f"cannot read phrases from {path}: {reason}.") from error
    if not lines[0].startswith(_HEAD):
        raise CorpusError(
            f"{path} holds no phrases. Remedy: embedkit phrases CORPUS --list {path} writes them."
        )
    number = 1
    try:
        settings = PhraseSettings(**json.loads(lines[0].removeprefix(_HEAD)))
        passes: list[list[Phrase]] = []
        for line in lines[1:-1] if not lines[-1] else lines[1:]:
            number += 1
            _, score, count, turn, words = line.split("\t")
            if not len(passes) <= int(turn) <= settings.passes or len(words.split(" ")) < 2:
                raise ValueError(line)
            passes += [[] for _ in range(int(turn) - len(passes))]
            passes[-1].append(Phrase(tuple(words.split(" ")), float(score), int(count)))
    except (TypeError, ValueError) as error:
        raise CorpusError(
            f"{path}, line {number}: cannot be read ({str(error)[:60]}). "
            "Remedy: write the phrases again."
        ) from error
    return settings, passes
