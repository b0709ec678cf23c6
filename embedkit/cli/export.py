"""export: words and vectors for other programs."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from embedkit.cli.options import (
    OutputName,
    encoder_option,
    json_option,
    model_option,
    refuse_two_streams,
)
from embedkit.cli.output import print_json
from embedkit.formats.names import EXPORT_FORMATS, FORMATS_INFO
from embedkit.system.files import is_standard_output

__all__ = ["export"]


@click.command()
@click.argument(
    "target",
    metavar="FORMAT",
    type=click.Choice(EXPORT_FORMATS),
)
@click.option(
    "-o",
    "--output",
    type=OutputName(stream=True),
    metavar="PATH",
    help="What to write; - is standard output.  [default: words.sql, words.jsonl, ...]",
)
@click.option("--name", default="words", show_default=True, help="Of the table or collection.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@encoder_option
@model_option
@json_option
def export(
    target: str,
    output: str | None,
    name: str,
    overwrite: bool,
    encoder: str | None,
    model: str,
    as_json: bool,
) -> None:
    """Write words, counts and vectors for a database, or for TensorBoard.

    pgvector: SQL that psql loads. qdrant: JSON lines, each the body of a request that upserts
    points. parquet, jsonl: columns or keys id, word, count, vector. projector: a folder that
    TensorBoard's embedding projector shows.
    """
    from embedkit.encoders import load
    from embedkit.formats import write

    chosen = FORMATS_INFO[target]
    output = output or f"{name}{chosen.suffixes[0]}"
    refuse_two_streams(output, as_json=as_json)
    vectors = load(model, encoder=encoder)
    write(vectors, output, format=target, name=name, overwrite=overwrite)
    if is_standard_output(output):
        return
    path = Path(output)
    size = sum(file.stat().st_size for file in (path.iterdir() if chosen.is_folder else [path]))
    if as_json:
        facts = {"file": str(path), "format": target, "words": len(vectors), "bytes": size}
        print_json({**facts, "dimension": vectors.dimension})
        return
    click.echo(f"{path}: {len(vectors):,} words, {vectors.dimension:,} dimensions, {size:,} bytes")
    if chosen.load_command:
        click.echo("Load: " + chosen.load_command.format(path=shlex.quote(str(path)), name=name))
