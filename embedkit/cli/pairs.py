"""--pairs: pairs of words on the command line, in a file, or from standard input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

from embedkit.cli.input import parse_lines, read_lines
from embedkit.errors import QuestionError
from embedkit.plotting.pairs import pair_of, read_pairs

__all__ = ["Pairs", "pairs_option"]

Pairs: TypeAlias = Sequence[tuple[str, str]]


class _PairsType(click.ParamType):  # type: ignore[type-arg]
    """Pairs with commas between them, or @FILE."""

    name = "pairs"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Pairs:
        text = str(value)
        if text == "@-":
            pairs = parse_lines(read_lines(), pair_of)
            if not pairs:
                raise QuestionError("standard input has no pairs.")
            return pairs
        if text.startswith("@"):
            return read_pairs(Path(text[1:]))
        try:
            return [pair_of(pair) for pair in text.split(",")]
        except QuestionError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Complete the name of a file after @."""
        if not incomplete.startswith("@"):
            return []
        folder, _, start = incomplete[1:].rpartition("/")
        prefix = f"@{folder}/" if "/" in incomplete else "@"
        try:
            names = sorted(found.name for found in Path(folder or prefix[1:]).iterdir())
        except OSError:
            return []
        return [CompletionItem(prefix + name) for name in names if name.startswith(start)]


def _all_pairs(_ctx: click.Context, _param: click.Parameter, values: tuple[Pairs, ...]) -> Pairs:
    return [pair for pairs in values for pair in pairs]


pairs_option = click.option(
    "--pairs",
    type=_PairsType(),
    multiple=True,
    callback=_all_pairs,
    metavar="FROM:TO[,...]|@FILE",
    help="Pairs of words, as in man:woman,king:queen; repeatable. @FILE reads one pair per line, "
    "@- from standard input.",
)
