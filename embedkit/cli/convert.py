"""convert: vectors from one format to another."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from embedkit.cli.options import (
    encoding_option,
    errors_option,
    json_option,
    output_option,
    overwrite_option,
    quiet_option,
)
from embedkit.cli.output import print_json, summary_of_vectors
from embedkit.cli.parameters import ModelPath, OutputPath, WholeNumber
from embedkit.cli.paths import lock_outputs, refuse_two_streams
from embedkit.cli.progress import Display
from embedkit.errors import ModelError
from embedkit.formats.names import READABLE_FORMATS, WRITABLE_FORMATS
from embedkit.system.files import is_standard_output
from embedkit.system.full_disk import storage_errors

if TYPE_CHECKING:
    from embedkit.formats import ConversionReport

__all__ = ["convert"]


@click.command()
@click.argument("source", type=ModelPath(), metavar="IN")
@click.argument("target", metavar="[OUT]", required=False, type=OutputPath(stream=True))
@output_option("Same as the argument OUT.", OutputPath(stream=True))
@click.option(
    "--format",
    "source_format",
    type=click.Choice(READABLE_FORMATS),
    metavar="FORMAT",
    show_default="detected from its content",
    help="Format of IN.",
)
@click.option(
    "--to",
    "target_format",
    type=click.Choice(WRITABLE_FORMATS),
    metavar="FORMAT",
    show_default="chosen by its name",
    help="Format of OUT.",
)
@click.option("--limit", type=WholeNumber(1), help="Convert only the first N words.", metavar="N")
@encoding_option("words in IN")
@errors_option(
    "What to do with invalid lines and words: stop with an error, repair what can be repaired, or "
    "skip them."
)
@overwrite_option
@quiet_option
@json_option
def convert(
    source: str,
    target: str | None,
    output: str | None,
    source_format: str | None,
    target_format: str | None,
    limit: int | None,
    encoding: str,
    errors: str,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read words and vectors from IN and write them to OUT.

    Formats: embedkit, word2vec (text; fastText's .vec too), word2vec-binary, glove, fasttext (reads
    .bin and .ftz, writes .bin with --to fasttext), gensim (what its save writes; read only), npz,
    npy, safetensors, static (model2vec, sentence-transformers), and those of `embedkit export`
    (written only). The format of IN is detected from its content, and that of OUT is chosen by its
    name; .gz, .bz2, .xz and .zst compress. For formats of one file, IN may be - for standard input,
    and OUT - for standard output.
    """
    from embedkit import formats

    if target is not None and output is not None:
        raise click.UsageError("name the output once, as an argument or with --output.")
    target = target or output
    if target is None:
        raise click.UsageError("name the output, as an argument or with --output (-o).")
    piped = is_standard_output(target)
    refuse_two_streams(target, as_json=as_json)
    lock_outputs(target)
    with _input_file(source) as file, Display((file,), quiet=quiet) as display:
        report = formats.convert(
            file,
            target,
            source_format=source_format,
            target_format=target_format,
            limit=limit,
            encoding=encoding,
            errors=errors,
            overwrite=overwrite,
            reading=display.reading,
            writing=display.writing,
        )
    if as_json:
        print_json(asdict(report))
        return
    if not quiet:
        _print(report, err=piped)


@contextmanager
def _input_file(source: str) -> Iterator[str]:
    """Yield the name of the input; standard input is copied to a temporary file.

    Readers of vectors need a file, because they read its beginning to detect the format.
    """
    if source != "-":
        yield source
        return
    if sys.stdin is None:
        raise ModelError("standard input is closed.", hint="Pass the name of a file.")
    with tempfile.TemporaryDirectory(prefix="embedkit-") as folder:
        file = Path(folder) / "standard-input"
        with storage_errors(file), file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield str(file)


def _print(report: ConversionReport, *, err: bool) -> None:
    summary = summary_of_vectors(report.target, report.words, report.dimension, report.bytes)
    click.echo(f"{summary} ({report.source_format} to {report.target_format})", err=err)
    for fault, count in report.repairs.items():
        click.echo(f"  {fault:<12}  {count:,}", err=err)
