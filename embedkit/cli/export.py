"""export: vectors for databases and TensorBoard."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from embedkit.cli.options import (
    encoder_option,
    json_option,
    model_option,
    output_option,
    overwrite_option,
    quiet_option,
)
from embedkit.cli.output import print_json
from embedkit.cli.parameters import OutputPath
from embedkit.cli.paths import refuse_two_streams
from embedkit.formats.names import EXPORT_FORMATS
from embedkit.system.files import is_standard_output

__all__ = ["export"]


@click.command()
@click.argument(
    "target",
    metavar="FORMAT",
    type=click.Choice(EXPORT_FORMATS),
)
@output_option(
    "File or folder to write; - is standard output.",
    OutputPath(stream=True),
    show_default="words.sql, words.jsonl, ..., after --name",
)
@click.option(
    "--name",
    default="words",
    show_default=True,
    metavar="NAME",
    help="Name of the table or collection.",
)
@overwrite_option
@encoder_option
@model_option
@quiet_option
@json_option
def export(
    target: str,
    output: str | None,
    name: str,
    overwrite: bool,
    encoder: str | None,
    model: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Write vectors for a database or for TensorBoard.

    Words and counts are written too. pgvector: SQL for psql. qdrant: JSON lines, each the body of a
    request that upserts points. parquet, jsonl: columns or keys id, word, count, vector. projector:
    a folder for TensorBoard's embedding projector.
    """
    from embedkit.encoders import load
    from embedkit.formats.export import FORMATS
    from embedkit.formats.export import export as write

    chosen = FORMATS[target]
    output = output or f"{name}{chosen.suffix}"
    refuse_two_streams(output, as_json=as_json)
    vectors = load(model, encoder=encoder)
    write(vectors, output, target, name=name, overwrite=overwrite)
    if is_standard_output(output):
        return
    path = Path(output)
    size = sum(file.stat().st_size for file in (path.iterdir() if chosen.is_folder else [path]))
    if as_json:
        facts = {"file": str(path), "format": target, "words": len(vectors), "bytes": size}
        print_json({**facts, "dimension": vectors.dimension})
        return
    if quiet:
        return
    click.echo(f"{path}: {len(vectors):,} words, {vectors.dimension:,} dimensions, {size:,} bytes")
    if chosen.loaded_by:
        click.echo("Load: " + chosen.loaded_by.format(path=shlex.quote(str(path)), name=name))
