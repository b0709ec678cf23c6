"""index: approximate indexes, for vocabularies that exact search is too slow for."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.options import given_options, json_option, model_option
from embedkit.cli.output import print_json
from embedkit.errors import ConfigurationError

if TYPE_CHECKING:
    from embedkit.index.benchmark import Measured

__all__ = ["index"]

_KINDS = ("flat", "hnsw", "ivf", "ivfpq")
_CHOSEN = click.IntRange(1, 2**31 - 1)  # 0, by the size of the vectors, is not for users to say
_SETTINGS = (
    click.option(
        "--metric", type=click.Choice(["cosine", "l2", "dot"]), default="cosine", show_default=True,
        help="Of the questions that the index answers.",
    ),
    click.option("--m", type=int, help="hnsw: links of a vector.  [default: 16]"),
    click.option(
        "--ef-construction", type=int, help="hnsw: vectors looked at to place one.  [default: 64]"
    ),
    click.option(
        "--ef-search", type=int, help="hnsw: vectors kept in view in a search.  [default: 128]"
    ),
    click.option(
        "--nlist", type=_CHOSEN, help="ivf, ivfpq: lists.  [default: 2 sqrt(words)]"
    ),
    click.option(
        "--nprobe", type=_CHOSEN,
        help="ivf, ivfpq: lists that are searched.  [default: nlist / 12]",
    ),
    click.option(
        "--pq-m", type=_CHOSEN, help="ivfpq: bytes of a vector.  [default: dimension / 4]"
    ),
    click.option("--seed", type=int, help="Of random choices.  [default: 1]"),
    click.option(
        "--questions", type=click.IntRange(1, 1_000_000), default=500, show_default=True,
        help="Words whose neighbours are asked for to measure.",
    ),
    model_option,
    click.option("--quiet", is_flag=True, help="Show no progress."),
    json_option,
)  # fmt: skip


def _measuring_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.group()
def index() -> None:
    """Build, compare or drop an approximate index.

    Questions are answered exactly unless a model has an index. What an index misses is printed when
    it is built.
    """


@index.command()
@click.option("--kind", type=click.Choice(_KINDS), default="hnsw", show_default=True)
@_measuring_options
def build(kind: str, **options: Any) -> None:
    """Build an index, measure it beside exact search, and keep it in the model directory.

    Another index that is there is replaced. flat is exact search, which needs none: it drops what
    is there.
    """
    from embedkit.storage.index_file import drop_index, save_index

    _refuse_unused(kind)
    path = Path(options["model"])
    model, measured, built = _measure([kind] if kind == "flat" else ["flat", kind], options)
    if kind == "flat":
        drop_index(path)
    else:
        measured[-1].bytes = save_index(model, built)
    _print(options, measured)
    if not options["as_json"]:
        click.echo(
            f"{path}: questions are answered exactly."
            if kind == "flat"
            else f"{path}: questions by {options['metric']} use it; --exact asks without."
        )


@index.command()
@_measuring_options
def compare(**options: Any) -> None:
    """Build an index of each kind, print what they are worth, and keep none."""
    _, measured, _ = _measure(_KINDS, options)
    _print(options, measured)


@index.command()
@model_option
@json_option
def drop(model: str, as_json: bool) -> None:
    """Remove the index; questions are answered exactly again."""
    from embedkit.storage.index_file import drop_index

    dropped = drop_index(Path(model))
    if as_json:
        print_json({"model": model, "dropped": dropped})
    else:
        click.echo(f"{model}: {'the index is gone' if dropped else 'there was no index'}.")


def _refuse_unused(kind: str) -> None:
    from embedkit.index.options import INDEX_SETTINGS

    of_kinds = dict.fromkeys(name for used in INDEX_SETTINGS.values() for name in used)
    heeded = {*INDEX_SETTINGS[kind], "seed"}  # which draws questions too
    unused = given_options(*(name for name in of_kinds if name not in heeded))
    if unused:
        raise ConfigurationError(f"an index of kind {kind} has no use for {', '.join(unused)}.")


def _measure(kinds: Any, options: dict[str, Any]) -> tuple[Any, list[Measured], Any]:
    """Return the model, what each kind is worth, and the index of the last one."""
    from embedkit.index.approximate import IndexSettings
    from embedkit.index.benchmark import measure
    from embedkit.storage.index_file import vectors_to_index
    from embedkit.storage.model_directory import read_model

    names = {field.name for field in fields(IndexSettings)} & options.keys()
    given = {name: options[name] for name in names if options[name] is not None}
    chosen = [IndexSettings(kind=kind, **given) for kind in kinds]
    model = read_model(Path(options["model"]))
    exact = vectors_to_index(model, options["metric"])
    quiet = options["quiet"] or options["as_json"]
    with _bar(len(exact.matrix) * sum(kind != "flat" for kind in kinds), quiet=quiet) as progress:
        measured, built = measure(exact, chosen, options["questions"], progress)
    return model, measured, built


@contextlib.contextmanager
def _bar(total: int, *, quiet: bool) -> Iterator[Callable[[int], object]]:
    if quiet or not total or not sys.stderr.isatty():
        yield lambda rows: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=" words", unit_scale=True, file=sys.stderr, leave=False) as bar:
        yield bar.update


def _print(options: dict[str, Any], measured: list[Measured]) -> None:
    if options["as_json"]:
        print_json({"model": options["model"], "indexes": [one.as_dict() for one in measured]})
        return
    click.echo(
        f"{'':6}  {'recall@10':>9}  {'one by one/s':>12}  {'together/s':>10}  {'build s':>7}  "
        f"{'MB on disk':>10}  {'peak MB':>7}"
    )
    for one in measured:
        click.echo(
            f"{one.settings.kind:6}  {one.recall:9.3f}  {one.speed.one_by_one:12,.0f}  "
            f"{one.speed.together:10,.0f}  {one.seconds:7.1f}  {one.bytes / 1e6:10,.1f}  "
            f"{one.peak / 1e6:7,.0f}"
        )
        if used := {n: v for n, v in one.settings.used.items() if n not in ("kind", "metric")}:
            click.echo("        " + ", ".join(f"{name} {value:,}" for name, value in used.items()))
