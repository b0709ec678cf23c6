"""How far reading and training are: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embedkit.cli.output import to_json
from embedkit.system.files import storage_errors

if TYPE_CHECKING:
    from embedkit.training.report import EpochReport, Progress

__all__ = ["Display", "Log"]

_SECONDS_BETWEEN_LINES = 5.0
_BAR = "{desc} {percentage:3.0f}% |{bar}| {rate_fmt}, {remaining} left{postfix}"


class Display:
    """Progress on standard error."""

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
        self._written = 0

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_bar()

    def _start_bar(self, **options: Any) -> Any:
        from tqdm import tqdm

        width = shutil.get_terminal_size().columns  # some terminals say 0, tqdm shows nothing then
        return tqdm(file=sys.stderr, ncols=width, leave=False, bar_format=_BAR, **options)

    def _line(self, text: str) -> None:
        if self._quiet or self._bars:
            return
        if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            click.echo(text, err=True)

    def reading(self, count: int) -> None:
        """Show that *count* more bytes are read."""
        self._done += count
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    desc="reading", total=self._bytes, unit="B", unit_scale=True
                )
            self._bar.update(count)
        share = f" of {self._bytes / 1e6:,.0f}" if self._bytes else ""
        self._line(f"reading: {self._done / 1e6:,.0f}{share} MB")

    def walking(self, count: int, total: int) -> None:
        """Show that *count* more walks of *total* are taken."""
        self._done += count
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    desc="walking", total=total, unit=" walks", unit_scale=True
                )
            self._bar.update(count)
        self._line(f"walking: {self._done / total:4.0%} of {total:,} walks")

    def writing(self, count: int, total: int) -> None:
        """Show that *count* more of *total* words are written."""
        if not self._written:
            self._close_bar()
        self._written += count
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    desc="writing", total=total, unit=" words", unit_scale=True
                )
            self._bar.update(count)
        self._line(f"writing: {self._written:,} of {total:,} words")

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def say(self, text: str) -> None:
        """Print a line, whatever bar was there."""
        self._close_bar()
        self._done = 0
        if not self._quiet:
            click.echo(text, err=True)

    def phrases(self, total: int) -> Callable[[int], None]:
        """Return what shows that so many more of *total* tokens are looked at for phrases."""
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            if self._bars:
                if self._bar is None:
                    self._bar = self._start_bar(
                        desc="phrases", total=total, unit=" words", unit_scale=True
                    )
                self._bar.update(count)
            self._line(f"phrases: {min(done / total, 1):4.0%}")

        return more

    def training(self, progress: Progress) -> None:
        """Show where training stands."""
        if self._bars:
            if self._bar is None:
                self._bar = self._start_bar(
                    total=progress.total_tokens, unit=" words", unit_scale=True
                )
            self._bar.set_description_str(
                f"epoch {progress.epoch}/{progress.epochs}", refresh=False
            )
            self._bar.set_postfix_str(
                f"loss {progress.loss:.4f}, rate {progress.learning_rate:.4f}", refresh=False
            )
            self._bar.update(progress.tokens - self._bar.n)
        self._line(
            f"training: {progress.tokens / progress.total_tokens:4.0%}, epoch {progress.epoch} of "
            f"{progress.epochs}, {progress.tokens_per_second:,.0f} words/s, loss "
            f"{progress.loss:.4f}, learning rate {progress.learning_rate:.4f}, "
            f"{progress.seconds_left:,.0f} s left"
        )

    def epoch(self, report: EpochReport, accuracy: float | None) -> None:
        """Print what an epoch did."""
        loss = "-" if report.loss is None else f"{report.loss:.4f}"
        score = "" if accuracy is None else f", analogies {accuracy:.1%}"
        text = f"epoch {report.epoch} of {report.epochs}: loss {loss}{score}"
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif not self._quiet:
            click.echo(text, err=True)


class Log:
    """A file with a JSON object a line: where training stands, and the loss of each epoch."""

    def __init__(self, path: str) -> None:
        with storage_errors(path):
            self._file: IO[str] = Path(path).open("a", encoding="utf-8")  # noqa: SIM115

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def training(self, progress: Progress) -> None:
        """Write where training stands."""
        self._write({"event": "progress", **asdict(progress)})

    def epoch(self, report: EpochReport, accuracy: float | None) -> None:
        """Write what an epoch did."""
        facts = {"epoch": report.epoch, "epochs": report.epochs, "loss": report.loss}
        facts |= {"seconds": report.seconds, "analogies": accuracy}
        self._write({"event": "epoch", **facts})

    def _write(self, facts: dict[str, Any]) -> None:
        with storage_errors(self._file.name):
            self._file.write(to_json(facts) + "\n")
            self._file.flush()
