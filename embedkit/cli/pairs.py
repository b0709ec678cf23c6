"""--pairs: pairs of words on the command line, in a file, or on standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

from embedkit.errors import QuestionError
from embedkit.system.compression import DAMAGE, decompress

__all__ = ["Pairs", "pairs_option", "parse_pair", "read_pairs"]

Pairs: TypeAlias = Sequence[tuple[str, str]]


def parse_pair(text: str) -> tuple[str, str]:
    """Return the two words of ``king:queen`` or ``king queen``, or of any with a tab between;
    ``new york:albany`` is ("new york", "albany").

    Raises:
        QuestionError: there are not two different words.
    """
    for separator in ("\t", ":", None):
        words = [word.strip() for word in text.strip().split(separator) if word.strip()]
        if len(words) == 2:
            return words[0], words[1]
        if len(words) > 2:
            break
    raise QuestionError(f"expected two words, as in king:queen; got {text.strip()!r:.80}.")


def read_pairs(path: str) -> list[tuple[str, str]]:
    """Read a file with one pair per line, plain or compressed; - is standard input.

    Raises:
        QuestionError: it cannot be read, has no pair, or a line is not one; the message names it.
    """
    name = "standard input" if path == "-" else path
    pairs = []
    for number, line in enumerate(_lines(path, name), start=1):
        if not line.strip():
            continue
        try:
            pairs.append(parse_pair(line))
        except QuestionError as error:
            raise QuestionError(
                f"{name}, line {number}: {error.message}", hint=error.hint
            ) from error
    if not pairs:
        raise QuestionError(f"{name} contains no pairs.")
    return pairs


def _lines(path: str, name: str) -> list[str]:
    try:
        if path == "-":
            if sys.stdin is None:
                raise QuestionError("standard input is closed.")
            data = sys.stdin.buffer.read()
        else:
            with Path(path).open("rb") as raw:
                data = decompress(raw).read()
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise QuestionError(f"{name}, byte {error.start + 1}: not UTF-8.") from None
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise QuestionError(f"cannot read {name}: {reason}.") from error


class _PairsType(click.ParamType):  # type: ignore[type-arg]
    """Pairs with commas between them, or @FILE."""

    name = "pairs"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[tuple[str, str]]:
        text = str(value)
        if text.startswith("@"):
            return read_pairs(text[1:])
        try:
            return [parse_pair(pair) for pair in text.split(",")]
        except QuestionError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the names of files after @."""
        if not incomplete.startswith("@"):
            return []
        folder = Path(incomplete[1:] + "x").parent
        start = "@" if folder == Path() else f"@{folder}/".replace("//", "/")
        try:
            names = [f"{start}{found.name}" for found in sorted(folder.iterdir())]
        except OSError:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _all_pairs(
    _ctx: click.Context, _param: click.Parameter, values: tuple[list[tuple[str, str]], ...]
) -> Pairs:
    return [pair for pairs in values for pair in pairs]


pairs_option = click.option(
    "--pairs",
    type=_PairsType(),
    multiple=True,
    callback=_all_pairs,
    metavar="FROM:TO[,...]|@FILE",
    help="Pairs of words: man:woman,king:queen; repeatable. @FILE reads one pair per line; @- "
    "reads standard input.",
)
