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
from embedkit.cli.output import print_json, summary_of_vectors
from embedkit.cli.parameters import OutputPath
from embedkit.cli.paths import lock_outputs, refuse_two_streams
from embedkit.cli.progress import Display
from embedkit.formats.names import EXPORT_FORMATS, FORMATS_INFO
from embedkit.system.files import is_standard_output

__all__ = ["export"]


@click.command()
@click.argument("target", metavar="FORMAT", type=click.Choice(EXPORT_FORMATS))
@output_option(
    "File or folder to write; - is standard output.",
    OutputPath(stream=True),
    show_default="--name with the format's suffix, such as words.sql",
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
    """Write vectors for a database or for TensorBoard. FORMAT is one of:

    \b
    pgvector   SQL for psql
    qdrant     JSON lines, each the body of a request that upserts points
    parquet    columns id, word, count, vector
    jsonl      JSON lines, each an object with these keys
    projector  a folder for TensorBoard's embedding projector
    """  # noqa: D301 - click needs the character, not a backslash
    from embedkit.encoders import load
    from embedkit.formats import write

    chosen = FORMATS_INFO[target]
    output = output or f"{name}{chosen.suffixes[0]}"
    refuse_two_streams(output, as_json=as_json)
    lock_outputs(output)
    vectors = load(model, encoder=encoder)
    with Display(quiet=quiet or as_json) as display:
        write(
            vectors,
            output,
            format=target,
            name=name,
            overwrite=overwrite,
            progress=lambda count: display.writing(count, len(vectors)),
        )
    if is_standard_output(output):
        return
    path = Path(output)
    size = sum(file.stat().st_size for file in (path.iterdir() if chosen.is_folder else [path]))
    if as_json:
        facts = {"file": str(path), "format": target, "words": len(vectors), "bytes": size}
        print_json({**facts, "dimension": vectors.dimension})
    elif not quiet:
        click.echo(summary_of_vectors(str(path), len(vectors), vectors.dimension, size))
        if chosen.load_command:
            command = chosen.load_command.format(path=shlex.quote(str(path)), name=name)
            click.echo(f"Load: {command}")
