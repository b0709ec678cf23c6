"""train: text in, model directory out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.common import print_json
from embedkit.errors import ConfigurationError
from embedkit.training.config import TrainingConfig

if TYPE_CHECKING:
    from embedkit.training.trainer import Progress

__all__ = ["train"]

_HELP = {
    "dimension": "Length of a vector.",
    "window": "Words to either side that a word is paired with.",
    "negative": "Noise words drawn for each word.",
    "epochs": "Passes over the text.  [default: 5, more for a small text]",
    "min_count": "Leave out words that are rarer.",
    "sample": "Subsampling threshold for frequent words; 0 keeps all.",
    "learning_rate": "Step at the start; it falls linearly.",
    "workers": "Threads; one gives the same bytes every time.  [default: one a processor]",
    "seed": "Of every random draw.",
}
_SECONDS_BETWEEN_LINES = 5.0


def _setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each setting of training, with the default that `TrainingConfig` has."""
    for field in reversed(fields(TrainingConfig)):
        if field.name not in _HELP:
            continue
        default = None if field.default is MISSING else field.default
        kind = float if isinstance(default, float) else int
        shown = f"  [default: {default:g}]" if default is not None else ""
        name = "--" + field.name.replace("_", "-")
        command = click.option(name, type=kind, help=_HELP[field.name] + shown)(command)
    return command


@click.command()
@click.argument("corpus", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    default="model.embedkit",
    show_default=True,
    metavar="MODEL",
    help="Model directory to write.",
)
@click.option(
    "--encoder",
    type=click.Choice(["skipgram", "charcode", "onehot"]),
    default="skipgram",
    show_default=True,
)
@_setting_options
@click.option(
    "--tokenizer",
    type=click.Choice(["words", "whitespace"]),
    default="words",
    show_default=True,
    help="words: case-folded words of any script; whitespace: tokens as they are.",
)
@click.option(
    "--errors",
    type=click.Choice(["strict", "replace", "ignore"]),
    default="strict",
    show_default=True,
    help="What to do with bytes that are not UTF-8.",
)
@click.option(
    "--temporary-directory",
    type=click.Path(exists=True, file_okay=False),
    help="Where token ids go while training, 4 bytes a token.  [default: the system's]",
)
@click.option("--overwrite", is_flag=True, help="Replace a model that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def train(
    corpus: tuple[str, ...],
    output: str,
    encoder: str,
    tokenizer: str,
    errors: str,
    temporary_directory: str | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train on CORPUS: files (.gz, .bz2, .xz and .zst too), folders, or - for standard input."""
    from embedkit.corpus import Corpus
    from embedkit.encoders import ENCODERS
    from embedkit.store import check_output

    given = {name: value for name, value in settings.items() if value is not None}
    if encoder != "skipgram" and given.keys() - {"min_count"}:
        unused = ", ".join("--" + name.replace("_", "-") for name in given if name != "min_count")
        raise ConfigurationError(f"the {encoder} encoder has no use for {unused}.")
    model = ENCODERS[encoder](**given)
    path = Path(output)
    check_output(path, overwrite=overwrite)

    with _Display(corpus, quiet=quiet) as display:
        text = Corpus.read(
            list(corpus),
            tokenizer=tokenizer,
            errors=errors,
            directory=temporary_directory,
            progress=display.reading,
        )
        display.read(
            f"{len(text.tokens):,} tokens, {len(text):,} sentences, "
            f"{len(text.vocabulary):,} distinct words"
        )
        model.fit(text, progress=display.training)
    model.save(path, overwrite=overwrite)
    if as_json:
        report = getattr(model, "report", {})
        words, dimension = len(model.vocabulary), model.dimension
        print_json({"model": output, "words": words, "dimension": dimension, "training": report})
    elif not quiet:
        click.echo(_summary(model, output))


def _summary(model: Any, output: str) -> str:
    lines = [f"{output}: {len(model.vocabulary):,} words, {model.dimension:,} dimensions"]
    if report := getattr(model, "report", None):
        epochs = report["epochs"]
        lines.append(
            f"{epochs} epoch{'s' if epochs > 1 else ''} in {report['seconds']:.1f} s, "
            f"{report['tokens_per_second']:,.0f} words/s, loss {report['loss']:.4f}"
        )
    option = "" if output == "model.embedkit" else f" --model {output}"
    middle = model.vocabulary[len(model.vocabulary) // 20]
    lines.append(f"Try: embedkit neighbors {middle}{option}")
    return "\n".join(lines)


class _Display:
    """Progress on standard error: bars on a terminal, a line every few seconds elsewhere."""

    def __init__(self, corpus: tuple[str, ...], *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars = sys.stderr.isatty() and not quiet
        self._bar: Any = None
        self._last = time.monotonic()
        files = [Path(name) for name in corpus]
        self._bytes = (
            sum(file.stat().st_size for file in files) if all(map(Path.is_file, files)) else None
        )
        self._done = 0

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _start_bar(self, **options: Any) -> Any:
        from tqdm import tqdm

        return tqdm(file=sys.stderr, dynamic_ncols=True, leave=False, **options)

    def _line(self, text: str, *, now: bool = False) -> None:
        if self._quiet or self._bars:
            return
        if now or time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            click.echo(text, err=True)

    def reading(self, count: int) -> None:
        self._done += count
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    desc="reading", total=self._bytes, unit="B", unit_scale=True
                )
            self._bar.update(count)
        share = f" of {self._bytes / 1e6:,.0f}" if self._bytes else ""
        self._line(f"reading: {self._done / 1e6:,.0f}{share} MB")

    def read(self, text: str) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        if not self._quiet:
            click.echo(text, err=True)

    def training(self, progress: Progress) -> None:
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    desc="training", total=progress.total_tokens, unit=" words", unit_scale=True
                )
            self._bar.set_postfix_str(
                f"epoch {progress.epoch}/{progress.epochs}, loss {progress.loss:.4f}, "
                f"rate {progress.learning_rate:.4f}",
                refresh=False,
            )
            self._bar.update(progress.tokens - self._bar.n)
        self._line(
            f"training: {progress.tokens / progress.total_tokens:4.0%}, epoch {progress.epoch} of "
            f"{progress.epochs}, {progress.tokens_per_second:,.0f} words/s, loss "
            f"{progress.loss:.4f}, learning rate {progress.learning_rate:.4f}, "
            f"{progress.seconds_left:,.0f} s left"
        )
