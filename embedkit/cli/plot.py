"""plot: pictures of words, and of how training went."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.input import ask_all
from embedkit.cli.options import (
    OutputName,
    encoder_option,
    given_options,
    json_option,
    model_option,
)
from embedkit.cli.output import print_json
from embedkit.errors import QuestionError

if TYPE_CHECKING:
    from embedkit.plotting import LossCurve, WordMap

__all__ = ["plot"]


class _Size(click.ParamType):  # type: ignore[type-arg]
    """Two numbers of pixels."""

    name = "WIDTHxHEIGHT"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", str(value))
        if not match:
            self.fail(f"{value!r} is no size such as 1600x1200.", param, ctx)
        return int(match[1]), int(match[2])


@click.command()
@click.argument("words", nargs=-1, metavar="[WORDS]...")
@click.option("--pairs", is_flag=True, help="Arrows: WORDS are pairs such as king:queen, or files.")
@click.option("--top", type=click.IntRange(min=1), help="The N most frequent words as well.")
@click.option("--training", is_flag=True, help="Losses: WORDS are models, or logs of training.")
@click.option(
    "-o", "--output", type=OutputName(), metavar="FILE", help="Picture: .png, .svg, .pdf or .html."
)
@click.option(
    "--method",
    type=click.Choice(["pca", "tsne", "umap"]),
    default="pca",
    show_default=True,
    help="How words come to the plane.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=1, help="Of tsne and umap.")
@click.option("--title", default="", help="Stands above.")
@click.option(
    "--size",
    type=_Size(),
    default="1600x1200",
    show_default=True,
    help="Of the picture, in pixels.",
)
@click.option("--dark", is_flag=True, help="On a dark background.")
@click.option("--overwrite", is_flag=True, help="Replace the file that is there.")
@encoder_option
@model_option
@json_option
def plot(
    words: tuple[str, ...],
    pairs: bool,
    top: int | None,
    training: bool,
    output: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw words as points on a plane.

    \b
    embedkit plot --pairs man:woman king:queen -o gender.png     an arrow a pair
    embedkit plot cat dog cow -o animals.svg                     words
    embedkit plot --top 2000 --method tsne -o words.html         a page to look around in
    embedkit plot --training model.embedkit -o training.png      the loss by epoch

    With - in place of the words, they are read from standard input, and so are pairs, one a line. A
    file of pairs has one a line as well: king:queen, or two words. --json prints the places.
    """  # noqa: D301 - click wants the character, not a backslash
    if not (output or as_json):
        raise click.UsageError("name the picture, as in: -o words.png (.svg, .pdf, .html).")
    unused = given_options("pairs", "top", "method", "seed", "encoder")
    if training and unused:
        raise click.UsageError(f"--training has no use for {', '.join(unused)}: it draws no words.")
    if not words and (pairs or training or not top):
        raise click.UsageError("name some words, as in: embedkit plot cat dog cow -o animals.png")
    look = {name: options.pop(name) for name in ("title", "size", "dark", "overwrite")}
    if training:
        _plot_training(words, output, look, as_json=as_json)
    else:
        _plot_words(words, output, look, pairs=pairs, top=top or 0, as_json=as_json, **options)


def _plot_words(
    words: tuple[str, ...],
    output: str | None,
    look: dict[str, Any],
    *,
    pairs: bool,
    top: int,
    as_json: bool,
    encoder: str | None,
    model: str,
    **method: Any,
) -> None:
    from embedkit.encoders import load
    from embedkit.plotting import draw, word_map
    from embedkit.plotting.draw import FORMATS
    from embedkit.plotting.figures import check_suffix
    from embedkit.plotting.pairs import pair_of
    from embedkit.system.files import resolve_output

    if output:  # before minutes of work are lost
        check_suffix(Path(output), FORMATS)
        resolve_output(Path(output), overwrite=look["overwrite"])
    vectors = load(model, encoder=encoder)

    def shown(asked: list[list[Any]]) -> list[WordMap]:
        named = [one for line in asked for one in line]
        chosen: dict[str, Any] = {"pairs": named} if pairs else {"words": named}
        return [word_map(vectors, **chosen, top=top, **method)]

    def read(line: str) -> list[Any]:
        return [pair_of(line)] if pairs else line.split()

    named: list[Any] = _pairs(words) if pairs and words != ("-",) else list(words)
    _, maps = ask_all(None if words == ("-",) else named, read, shown)
    if not maps:
        raise QuestionError("standard input holds no word.")
    for found in maps:
        remarks = draw(found, output, **look) if output else []
        for remark in remarks:
            click.echo(f"Warning: {remark}", err=True)
        if as_json:
            _print_map(found)
        else:
            arrows = f", {len(found.arrows):,} arrows" if found.arrows else ""
            click.echo(f"{output}: {len(found.words):,} words{arrows}")


def _pairs(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the pairs that arguments are, or that the files they name hold."""
    from embedkit.plotting.pairs import pair_of, read_pairs

    pairs = []
    for argument in arguments:
        if ":" not in argument and Path(argument).is_file():
            pairs += read_pairs(Path(argument))
        else:
            try:
                pairs.append(pair_of(argument))
            except QuestionError as error:
                raise click.UsageError(str(error)) from error
    return pairs


def _print_map(found: WordMap) -> None:
    points = [
        {"word": word, "x": x, "y": y}
        for word, (x, y) in zip(found.words, found.places.tolist(), strict=True)
    ]
    arrows = [[found.words[start], found.words[end]] for start, end in found.arrows]
    facts = {"method": found.method, "explained": found.explained}
    print_json({**facts, "points": points, "arrows": arrows})


def _plot_training(
    paths: tuple[str, ...], output: str | None, look: dict[str, Any], *, as_json: bool
) -> None:
    from embedkit.plotting import draw_loss_curves, read_loss_curves

    runs: list[LossCurve] = read_loss_curves(paths)
    if output:
        draw_loss_curves(runs, output, **look)
    if as_json:
        print_json(
            {"runs": [{"name": r.name, "epochs": r.epochs, "losses": r.losses} for r in runs]}
        )
        return
    curves = f"{len(runs):,} runs" if len(runs) > 1 else f"{len(runs[0].epochs):,} epochs"
    click.echo(f"{output}: {curves}")
