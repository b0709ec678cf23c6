"""index: approximate indexes, for vocabularies too large for exact search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.groups import Group
from embedkit.cli.options import (
    json_option,
    metric_option,
    model_argument,
    quiet_option,
    refuse_unused,
    seed_option,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import WholeNumber
from embedkit.cli.paths import lock_outputs
from embedkit.cli.progress import Display
from embedkit.index.options import INDEX_KINDS, INDEX_SETTINGS

if TYPE_CHECKING:
    from embedkit.index.benchmark import Measured

__all__ = ["index"]

_POSITIVE = WholeNumber(1, 2**31 - 1)  # without the option, the library chooses by size
_SETTINGS = (
    metric_option(),
    click.option(
        "--m", type=WholeNumber(1), default=16, show_default=True, help="hnsw: links per vector."
    ),
    click.option(
        "--ef-construction", type=WholeNumber(1), default=64, show_default=True,
        help="hnsw: candidates when a vector is added.",
    ),
    click.option(
        "--ef-search", type=WholeNumber(1), default=128, show_default=True,
        help="hnsw: candidates during a search.",
    ),
    click.option(
        "--nlist", type=_POSITIVE, show_default="2 sqrt(words)",
        help="ivf, ivfpq: number of inverted lists.",
    ),
    click.option(
        "--nprobe", type=_POSITIVE, show_default="nlist / 12",
        help="ivf, ivfpq: inverted lists per search.",
    ),
    click.option(
        "--pq-m", type=_POSITIVE, show_default="dimension / 4, pq: dimension / 2",
        help="ivfpq: bytes per vector; pq: twice as many.",
    ),
    seed_option,
    click.option(
        "--questions", type=WholeNumber(1, 1_000_000), default=500, show_default=True,
        help="Words whose neighbors are searched to measure speed and recall.",
    ),
    quiet_option,
    json_option,
)  # fmt: skip


def _measuring_options(command: Callable[..., None]) -> Callable[..., None]:
    command = model_argument(command)
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


@click.group(cls=Group)
def index() -> None:
    """Build, compare or drop an approximate index.

    Without an index, search is exact. The share of neighbors that an index finds (recall) is
    printed when it is built.
    """


@index.command("build")
@click.option(
    "--kind", type=click.Choice(INDEX_KINDS), default="hnsw", show_default=True,
    help="flat is exact search, hnsw a graph, ivf inverted lists, ivfpq compressed inverted lists, "
    "pq a scan of compressed vectors.",
)  # fmt: skip
@_measuring_options
def build_index(kind: str, **options: Any) -> None:
    """Build an index, compare it with exact search, and store it in the model directory.

    An existing index is replaced. --kind flat removes it: exact search needs no index.
    """
    from embedkit.storage.index_file import drop_index, save_index

    of_kinds = dict.fromkeys(name for used in INDEX_SETTINGS.values() for name in used)
    # The seed is always used: it draws the questions.
    refuse_unused(
        f"with --kind {kind}",
        *(name for name in of_kinds if name not in {*INDEX_SETTINGS[kind], "seed"}),
    )
    path = Path(options["model"])
    lock_outputs(path)
    model, measured, built = _measure([kind] if kind == "flat" else ["flat", kind], options)
    if kind == "flat":
        drop_index(path)
    else:
        measured[-1].bytes = save_index(model, built)
    if options["quiet"] and not options["as_json"]:
        return
    _print(options, measured)
    if not options["as_json"]:
        click.echo(
            f"{path}: search is exact."
            if kind == "flat"
            else f"{path}: searches by {options['metric']} use the index, except with --exact."
        )


@index.command("compare")
@_measuring_options
def compare_indexes(**options: Any) -> None:
    """Build an index of each kind, print its speed and recall, and discard it."""
    _, measured, _ = _measure(INDEX_KINDS, options)
    _print(options, measured)


@index.command("drop")
@model_argument
@quiet_option
@json_option
def drop_index(model: str, quiet: bool, as_json: bool) -> None:
    """Remove the index; search is exact again."""
    from embedkit.storage.index_file import drop_index as drop

    lock_outputs(model)
    dropped = drop(Path(model))
    if as_json:
        print_json({"model": model, "dropped": dropped})
    elif not quiet:
        click.echo(f"{model}: {'removed the index' if dropped else 'there was no index'}.")


def _measure(kinds: Sequence[str], options: dict[str, Any]) -> tuple[Any, list[Measured], Any]:
    """Return the model, the measurements of each kind, and the index of the last kind."""
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
    total = len(exact.matrix) * sum(kind != "flat" for kind in kinds)
    with Display(quiet=quiet) as display:

        def progress(stage: str, count: int) -> None:
            if stage == "training":
                display.say(f"training the index on {count:,} words")
            else:
                display.indexing(count, total)

        measured, built = measure(exact, chosen, options["questions"], progress)
    return model, measured, built


def _print(options: dict[str, Any], measured: list[Measured]) -> None:
    if options["as_json"]:
        print_json({"model": options["model"], "indexes": [one.as_dict() for one in measured]})
        return
    click.echo(
        f"{'':6}  {'recall@10':>9}  {'single/s':>12}  {'batch/s':>10}  {'build s':>7}  "
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
