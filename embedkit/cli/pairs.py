"""Pairs of words on the command line: --pairs man:woman king:queen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import click

__all__ = ["Pairs", "PairsCommand", "pairs_option"]

Pairs: TypeAlias = Sequence[tuple[str, str]]
_OPTION = "--pairs"


class PairsCommand(click.Command):
    """A command whose --pairs takes all that follows it and has a colon in it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        spread: list[str] = []
        taking = False
        for argument in args[:end]:
            is_pair = ":" in argument and not argument.startswith("-")
            # click's options have one value each, so that the option is said again for each pair.
            if taking and is_pair and spread[-1] != _OPTION:
                spread.append(_OPTION)
            spread.append(argument)
            taking = argument == _OPTION or (taking and is_pair)
        return super().parse_args(ctx, spread + args[end:])


def _pairs(_ctx: click.Context, _option: Any, given: tuple[str, ...]) -> Pairs:
    pairs = []
    for text in given:
        first, _, second = (part.strip() for part in text.partition(":"))
        if not first or not second or ":" in second:
            raise click.BadParameter(
                f"a pair is two words with a colon between them, as in man:woman; got {text!r}."
            )
        pairs.append((first, second))
    return pairs


pairs_option = click.option(
    _OPTION,
    multiple=True,
    callback=_pairs,
    metavar="FROM:TO ...",
    help="Examples, a colon between two words; all that follow the option. Then comes --, or a "
    "word without a colon.",
)
