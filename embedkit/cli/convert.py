"""convert: vectors from one program's format to another's."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from embedkit.cli.options import OutputName, json_option, refuse_two_streams
from embedkit.cli.output import print_json
from embedkit.cli.progress import Display
from embedkit.system.files import is_standard_output

if TYPE_CHECKING:
    from embedkit.formats import ConversionReport

__all__ = ["convert"]


@click.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT", type=OutputName(stream=True))
@click.option("--format", "source_format", metavar="FORMAT", help="Of IN.  [default: by content]")
@click.option("--to", "target_format", metavar="FORMAT", help="Of OUT.  [default: by its name]")
@click.option("--limit", type=click.IntRange(min=1), help="Take only the first so many words.")
@click.option(
    "--errors",
    type=click.Choice(["strict", "skip", "replace"]),
    default="strict",
    show_default=True,
    help="What is wrong in a file: stop, leave the word out, or mend what can be mended.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@json_option
def convert(
    source: str,
    target: str,
    source_format: str | None,
    target_format: str | None,
    limit: int | None,
    errors: str,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read words and vectors from IN and write them to OUT.

    Formats: embedkit, word2vec (text; fastText's .vec too), word2vec-binary, glove, fasttext (.bin,
    only read), npz, npy, safetensors, static (model2vec, sentence-transformers). That of IN is
    told by its content, that of OUT by its name; .gz, .bz2, .xz and .zst compress. - as OUT is
    standard output, for formats of one file.
    """
    from embedkit import formats

    piped = is_standard_output(target)
    refuse_two_streams(target, as_json=as_json)
    with Display((source,), quiet=quiet) as display:
        report = formats.convert(
            source,
            target,
            source_format=source_format,
            target_format=target_format,
            limit=limit,
            errors=errors,
            overwrite=overwrite,
            reading=display.reading,
            writing=display.writing,
        )
    if as_json:
        print_json(asdict(report))
        return
    if not (quiet and piped):
        _print(report, err=piped)


def _print(report: ConversionReport, *, err: bool) -> None:
    size = "" if report.bytes is None else f", {report.bytes:,} bytes"
    click.echo(
        f"{report.target}: {report.words:,} words, {report.dimension:,} dimensions{size} "
        f"({report.source_format} to {report.target_format})",
        err=err,
    )
    for fault, count in report.repairs.items():
        click.echo(f"  {fault:<12}  {count:,}", err=err)
