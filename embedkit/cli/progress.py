"""Progress of long work: bars on a terminal, occasional lines elsewhere, and a log file."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embedkit.cli.output import to_json
from embedkit.errors import counted
from embedkit.system.full_disk import storage_errors

if TYPE_CHECKING:
    from embedkit.classification.linear_settings import Step
    from embedkit.corpus.corpus import Corpus
    from embedkit.corpus.counting.limits import CountingLimits
    from embedkit.heads.training import Epoch
    from embedkit.training.report import EpochReport, Progress

__all__ = ["NOT_LOGGED", "Display", "ProgressLog"]

_SECONDS_BETWEEN_LINES = 5.0
NOT_LOGGED = "the log is incomplete"  # the end of the message about a full disk
_BAR = "{desc} {percentage:3.0f}% |{bar}| {rate_fmt}, {remaining} left{postfix}"


class Display:
    """Progress on standard error; one bar at a time.

    Args:
        inputs: names of what is read; their sizes give the length of the bar.
        quiet: whether to print nothing.
    """

    def __init__(self, inputs: Iterable[str] = (), *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._bar: Any = None
        self._stage = ""
        self._done = 0
        self._last = time.monotonic()
        files = [Path(name) for name in inputs]
        self._bytes = (
            sum(file.stat().st_size for file in files) if all(map(Path.is_file, files)) else None
        )

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *_: object) -> None:
        self._close_bar()

    def reading(self, count: int) -> None:
        """Show that *count* more bytes were read."""
        self._advance("reading", count, self._bytes, "B")
        share = f" of {self._bytes / 1e6:,.0f}" if self._bytes else ""
        self._line(f"reading: {self._done / 1e6:,.0f}{share} MB")

    def walking(self, count: int, total: int) -> None:
        """Show that *count* more of *total* walks were taken."""
        self._advance("walking", count, total, " walks")
        self._line(f"walking: {self._done / total:4.0%} of {counted(total, 'walk')}")

    def writing(self, count: int, total: int) -> None:
        """Show that *count* more of *total* words were written."""
        self._advance("writing", count, total, " words")
        self._line(f"writing: {self._done:,} of {counted(total, 'word')}")

    def indexing(self, count: int, total: int) -> None:
        """Show that *count* more of *total* words were added to an index."""
        self._advance("indexing", count, total, " words")
        self._line(f"indexing: {self._done:,} of {counted(total, 'word')}")

    def documents(self, stage: str, count: int) -> None:
        """Show that *count* more documents were read, or more passages were indexed."""
        noun = "document" if stage == "reading" else "passage"
        self._advance(stage, count, None, f" {noun}s")
        self._line(f"{stage}: {counted(self._done, noun)}")

    def phrases(self, total: int) -> Callable[[int], None]:
        """Return a function that shows that more of *total* tokens were searched for phrases."""

        def more(count: int) -> None:
            self._advance("phrases", count, total, " words")
            self._line(f"phrases: {min(self._done / total, 1):4.0%}")

        return more

    def training(self, progress: Progress) -> None:
        """Show the progress of training."""
        count = progress.tokens - (self._done if self._stage == "training" else 0)
        self._advance(
            "training",
            count,
            progress.total_tokens,
            " words",
            shown=(
                f"epoch {progress.epoch}/{progress.epochs}",
                f"loss {_known(progress.loss, '.4f')}, rate {progress.learning_rate:.4f}",
            ),
        )
        self._line(
            f"training: {progress.tokens / progress.total_tokens:4.0%}, epoch {progress.epoch} of "
            f"{progress.epochs}, {progress.tokens_per_second:,.0f} words/s, loss "
            f"{_known(progress.loss, '.4f')}, learning rate {progress.learning_rate:.4f}, "
            f"{_known(progress.seconds_left, ',.0f')} s left"
        )

    def fitting(self, epoch: Epoch) -> None:
        """Show the progress of training a network."""
        shown = ("training", f"loss {epoch.loss:.4f}")
        self._advance("training", 1, epoch.epochs, " epochs", shown=shown)
        self._line(f"training: epoch {epoch.epoch} of {epoch.epochs}, loss {epoch.loss:.4f}")

    def fitting_models(self, step: Step) -> None:
        """Show the progress of training linear models."""
        self._advance("training", 1, step.models, " models")
        self._line(f"training: model {step.model} of {step.models}")

    def folds(self, fold: int, folds: int) -> None:
        """Show the progress of a cross-validation."""
        self._advance("cross-validation", 1, folds, " folds")
        self._line(f"cross-validation: fold {fold} of {folds}")

    def epoch(self, report: EpochReport, accuracy: float | None) -> None:
        """Print the loss of an epoch, and its score if there is one."""
        loss = "-" if report.loss is None else f"{report.loss:.4f}"
        score = "" if accuracy is None else f", analogies {accuracy:.1%}"
        text = f"epoch {report.epoch} of {report.epochs}: loss {loss}{score}"
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif not self._quiet:
            click.echo(text, err=True)

    def say(self, text: str) -> None:
        """Print a line and end the bar."""
        self._close_bar()
        if not self._quiet:
            click.echo(text, err=True)

    def left_out(self, text: Corpus, limits: CountingLimits) -> None:
        """Print which words a text's vocabulary lacks, if any, and which option is why."""
        found = text.left_out
        if found.words:
            words, tokens = counted(found.words, "word"), counted(found.tokens, "token")
            least = counted(int(text.vocabulary.counts[-1]), "time")
            reached = len(text.vocabulary) == limits.max_vocabulary
            option = "--max-vocabulary" if reached else "--count-memory"
            self.say(f"left out by {option}: {words} ({tokens}); kept words occur at least {least}")
        if found.too_long:
            tokens = counted(found.too_long, "token")
            longest = counted(limits.max_word_length, "character")
            self.say(f"left out by --max-word-length: {tokens} of more than {longest}")

    def _advance(
        self,
        stage: str,
        count: int,
        total: int | None,
        unit: str,
        *,
        shown: tuple[str, str] | None = None,
    ) -> None:
        """Count *count* more of *total*; a new stage starts a new bar.

        Args:
            shown: the text before the bar and the text after it.
        """
        if stage != self._stage:
            self._close_bar()
            self._stage = stage
        self._done += count
        if self._bars:
            if self._bar is None:
                self._bar = _start_bar(desc=stage, total=total, unit=unit)
            if shown:
                self._bar.set_description_str(shown[0], refresh=False)
                self._bar.set_postfix_str(shown[1], refresh=False)
            self._bar.update(count)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._stage = ""
        self._done = 0

    def _line(self, text: str) -> None:
        if self._quiet or self._bars:
            return
        if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            click.echo(text, err=True)


def _start_bar(**settings: Any) -> Any:
    from tqdm import tqdm

    width = shutil.get_terminal_size().columns  # of a terminal of width 0, tqdm shows nothing
    return tqdm(
        file=sys.stderr, ncols=width, leave=False, bar_format=_BAR, unit_scale=True, **settings
    )


class ProgressLog:
    """A file with one JSON object per line: the progress of training, and each epoch's loss."""

    def __init__(self, path: str) -> None:
        with storage_errors(path):
            self._file: IO[str] = Path(path).open("a", encoding="utf-8")  # noqa: SIM115

    def close(self) -> None:
        """Close the file."""
        with storage_errors(self._file.name, NOT_LOGGED):
            self._file.close()

    def training(self, progress: Progress) -> None:
        """Write the progress of training."""
        self._write({"event": "progress", **asdict(progress)})

    def epoch(self, report: EpochReport, accuracy: float | None) -> None:
        """Write the loss of an epoch, and its score if there is one."""
        facts = {"epoch": report.epoch, "epochs": report.epochs, "loss": report.loss}
        facts |= {"seconds": report.seconds, "analogies": accuracy}
        self._write({"event": "epoch", **facts})

    def _write(self, facts: dict[str, object]) -> None:
        with storage_errors(self._file.name, NOT_LOGGED):
            self._file.write(to_json(facts) + "\n")
            self._file.flush()


def _known(number: float, layout: str) -> str:
    """Return a number, or a dash for one that is not known yet."""
    return format(number, layout) if math.isfinite(number) else "-"
