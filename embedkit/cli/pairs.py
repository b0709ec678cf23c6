"""--pairs: pairs of words on the command line, in a file, or from standard input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

from embedkit.cli.input import read_lines
from embedkit.errors import QuestionError
from embedkit.vectors.pairs import pair_lines, placed_pair
from embedkit.vectors.word_lists import WordReader

__all__ = ["PairTexts", "Pairs", "pairs_option"]

Pairs: TypeAlias = Sequence[tuple[str, str]]

_ANY_WORD = WordReader(lambda text: True)  # accepts what is a pair with any vocabulary


@dataclass(frozen=True)
class PairTexts:
    """Pairs as the user wrote them; how they split into words depends on the vocabulary.

    Attributes:
        texts: values of --pairs, and lines of files with their places.
    """

    texts: Sequence[tuple[str | None, str]]

    def __bool__(self) -> bool:
        return bool(self.texts)

    def read(self, reader: WordReader) -> Pairs:
        """Return the pairs.

        Raises:
            QuestionError: a line is not a pair.
            click.BadParameter: a value is not pairs.
        """
        pairs: list[tuple[str, str]] = []
        for place, text in self.texts:
            if place is not None:
                pairs.append(placed_pair(reader, place, text))
                continue
            try:
                pairs += reader.pairs(text)
            except QuestionError as error:
                raise click.BadParameter(str(error), param_hint="'--pairs'") from error
        return pairs


class _PairsType(click.ParamType):  # type: ignore[type-arg]
    """Pairs with commas between them, or @FILE."""

    name = "pairs"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> PairTexts:
        if isinstance(value, PairTexts):
            return value
        text = str(value)
        found: list[tuple[str | None, str]] = [(None, text)]
        if text == "@-":
            found = [
                (f"standard input, line {number}", line) for number, line in read_lines("pairs")
            ]
        elif text.startswith("@"):
            found = [*pair_lines(Path(text[1:]))]
        pairs = PairTexts(found)
        pairs.read(_ANY_WORD)  # finds most mistakes before the model is opened
        return pairs

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


def _all_pairs(
    _ctx: click.Context, _param: click.Parameter, values: tuple[PairTexts, ...]
) -> PairTexts:
    return PairTexts([text for pairs in values for text in pairs.texts])


pairs_option = click.option(
    "--pairs",
    type=_PairsType(),
    multiple=True,
    callback=_all_pairs,
    metavar="FROM:TO[,...]|@FILE",
    help="Pairs of words, as in man:woman,king:queen; repeatable. @FILE reads one pair per line, "
    "@- from standard input.",
)
