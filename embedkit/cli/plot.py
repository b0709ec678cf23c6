"""plot: pictures of words, and of losses during training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.input import ask_all, reader_for
from embedkit.cli.options import (
    encoder_option,
    json_option,
    model_option,
    output_option,
    overwrite_option,
    quiet_option,
    refuse_unused,
    seed_option,
)
from embedkit.cli.output import UnknownWords, print_json
from embedkit.cli.pairs import PairTexts, pairs_option
from embedkit.cli.parameters import OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.errors import counted
from embedkit.plotting.options import PROJECTION_METHODS

if TYPE_CHECKING:
    from embedkit.plotting import LossCurve, WordMap

__all__ = ["plot"]

_SLOW_WORDS = 500  # projecting more words by t-SNE or UMAP takes seconds


class _PictureSize(click.ParamType):  # type: ignore[type-arg]
    """The width and the height of a picture."""

    name = "WIDTHxHEIGHT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", str(value))
        if not match:
            self.fail(f"expected WIDTHxHEIGHT, such as 1600x1200; got {value!r}.", param, ctx)
        return int(match[1]), int(match[2])


@click.command()
@click.argument("words", nargs=-1, metavar="[WORDS]...")
@pairs_option
@click.option("--top", type=WholeNumber(1), metavar="N", help="Add the N most frequent words.")
@click.option(
    "--training",
    is_flag=True,
    help="Draw losses; WORDS are models, or logs that train --log-json wrote.",
)
@output_option("Picture to write: .png, .svg, .pdf or .html.", OutputPath())
@click.option(
    "--method",
    type=click.Choice(PROJECTION_METHODS),
    default="pca",
    show_default=True,
    help="How vectors are projected to two dimensions.",
)
@seed_option
@click.option("--title", default="", metavar="TEXT", help="Title of the picture.")
@click.option(
    "--size",
    type=_PictureSize(),
    default="1600x1200",
    show_default=True,
    help="Size of the picture in pixels.",
)
@click.option("--dark", is_flag=True, help="Use a dark background.")
@overwrite_option
@encoder_option
@model_option
@quiet_option
@json_option
def plot(
    words: tuple[str, ...],
    pairs: PairTexts,
    top: int | None,
    training: bool,
    output: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw words as points on a plane, and pairs as arrows.

    \b
    embedkit plot --pairs man:woman,king:queen -o gender.png     an arrow for each pair
    embedkit plot cat dog cow -o animals.svg                     words
    embedkit plot --top 2000 --method tsne -o words.html         an interactive page
    embedkit plot --training model.embedkit -o training.png      the loss by epoch

    With - instead of the words, they are read from standard input. --json prints the coordinates.
    """  # noqa: D301 - click needs the character, not a backslash
    if not (output or as_json):
        raise click.UsageError("name the picture, as in: -o words.png (.svg, .pdf, .html).")
    if training:
        refuse_unused("with --training", "pairs", "top", "method", "seed", "encoder")
    if not (words or ((pairs or top) and not training)):
        raise click.UsageError("name some words, as in: embedkit plot cat dog cow -o animals.png")
    look = {name: options.pop(name) for name in ("title", "size", "dark", "overwrite")}
    lock_outputs(output)
    if training:
        summary = _plot_training(words, output, look, as_json=as_json)
    else:
        options |= {"pairs": pairs, "top": top or 0}
        found, unknown = _plot_words(words, output, look, quiet=quiet, **options)
        summary = _contents(found)
        if as_json:
            _print_map(found, unknown)
        if not quiet:
            unknown.report(0, 1)
    if not (as_json or quiet):
        click.echo(f"{output}: {summary}")


def _plot_words(
    words: tuple[str, ...],
    output: str | None,
    look: dict[str, Any],
    *,
    quiet: bool,
    encoder: str | None,
    model: str,
    pairs: PairTexts,
    **settings: Any,
) -> tuple[WordMap, UnknownWords]:
    """Draw words; return the map, and which of its words are composed of n-grams."""
    from embedkit.encoders import load
    from embedkit.plotting import draw, word_map
    from embedkit.plotting.draw import FORMATS
    from embedkit.plotting.figures import check_suffix
    from embedkit.system.files import resolve_output

    if output:  # checked before the work
        check_suffix(Path(output), FORMATS)
        resolve_output(Path(output), overwrite=look["overwrite"])
    vectors = load(model, encoder=encoder)
    reader = reader_for(vectors)
    settings["pairs"] = pairs.read(reader)

    def map_of(lines: list[list[str]]) -> list[WordMap]:
        named = [word for line in lines for word in line]
        count = len(named) + min(settings["top"], len(vectors))
        if settings["method"] != "pca" and count >= _SLOW_WORDS and not quiet:
            click.echo(f"projecting {count:,} words by {settings['method']}", err=True)
        return [word_map(vectors, named, **settings)]

    given = None if words == ("-",) else [*map(reader.word, words)]
    _, (found,) = ask_all(given, reader.line, map_of, kind="words")
    for warning in draw(found, output, **look) if output else []:
        if not quiet:
            click.echo(f"Warning: {warning}", err=True)
    return found, UnknownWords(vectors, "error", found.words)


def _contents(found: WordMap) -> str:
    arrows = f", {counted(len(found.arrows), 'arrow')}" if found.arrows else ""
    return f"{counted(len(found.words), 'word')}{arrows}"


def _print_map(found: WordMap, unknown: UnknownWords) -> None:
    points = [
        {"word": word, "x": x, "y": y}
        for word, (x, y) in zip(found.words, found.places.tolist(), strict=True)
    ]
    arrows = [[found.words[start], found.words[end]] for start, end in found.arrows]
    facts = {"method": found.method, "explained": found.explained}
    notes = unknown.notes(found.words)
    print_json({**facts, "points": points, "arrows": arrows, **notes})


def _plot_training(
    paths: tuple[str, ...], output: str | None, look: dict[str, Any], *, as_json: bool
) -> str:
    """Draw losses; return a description of what was drawn."""
    from embedkit.plotting import draw_loss_curves, read_loss_curves

    runs: list[LossCurve] = read_loss_curves(paths)
    if output:
        draw_loss_curves(runs, output, **look)
    if as_json:
        print_json(
            {"runs": [{"name": r.name, "epochs": r.epochs, "losses": r.losses} for r in runs]}
        )
    return f"{len(runs):,} runs" if len(runs) > 1 else counted(len(runs[0].epochs), "epoch")
