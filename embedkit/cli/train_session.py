"""What accompanies training: checkpoints, scores, a log, and how to resume after an interrupt."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedkit.cli.event_log import EventLog, check_log_directory
from embedkit.cli.output import rendered
from embedkit.cli.paths import call_if_interrupted, watch_output
from embedkit.cli.progress import Display, ProgressLog
from embedkit.errors import ConfigurationError, EmbedkitError, StorageError
from embedkit.system.interrupts import PATIENCE
from embedkit.training.options import Device

if TYPE_CHECKING:
    from embedkit.corpus.corpus import Corpus
    from embedkit.encoders import TrainedEncoder
    from embedkit.evaluation import EarlyStopping
    from embedkit.system.ranks import Ranks
    from embedkit.training.report import EpochReport, Progress

__all__ = ["TrainingSession"]


class TrainingSession:
    """A run of training with the checkpoints, scores and log that the options of `train` request.

    Args:
        output: path of the model; checkpoints are written beside it.
        options: of the command.
        ranks: the processes that train together.
        overwrite: whether to delete checkpoints of an earlier training.

    Raises:
        ConfigurationError: an option is given without another that it needs.
        OutputExistsError: an earlier training was interrupted and *overwrite* is false.
    """

    def __init__(
        self, output: Path, options: dict[str, Any], ranks: Ranks, *, overwrite: bool
    ) -> None:
        from embedkit.training.checkpoint import Checkpoints

        if options["log_dir"]:
            check_log_directory(options["log_dir"])
        _refuse_logs_in_model(output, options)
        if options["patience"] and not options["evaluate"]:
            raise ConfigurationError("--patience needs --evaluate FILE.")
        self._ranks = ranks
        self._device = Device(options["device"], options["rows"], options["precision"])
        self._resume: bool = options["resume"]
        every = options["checkpoint_every"]
        self._checkpoints: Checkpoints | None = None
        self._written = watch_output(output)
        if every or self._resume:
            self._checkpoints = Checkpoints.beside(output, every=every or math.inf)
        if self._checkpoints and ranks.rank == 0:
            self._checkpoints.check()
            if not self._resume:
                self._checkpoints.begin_again(overwrite=overwrite)
        call_if_interrupted(self._how_to_resume)
        self._stopping: EarlyStopping | None = None
        self._follows_epochs = any(options[name] for name in ("evaluate", "log_json", "log_dir"))
        if options["evaluate"] and ranks.rank == 0:
            from embedkit.evaluation import EarlyStopping

            self._stopping = EarlyStopping(options["evaluate"], options["patience"])
        self._say: Callable[[str], None] = partial(click.echo, err=True)
        self._logs: list[ProgressLog | EventLog] = []
        if options["log_json"] and not ranks.rank:
            self._logs.append(ProgressLog(options["log_json"]))
        if options["log_dir"] and not ranks.rank:
            self._logs.append(EventLog(options["log_dir"]))

    def fit(
        self, model: TrainedEncoder, text: Corpus, start: TrainedEncoder | None, display: Display
    ) -> None:
        """Train; if interrupted, print how to resume."""
        self._say = display.say
        if self._checkpoints:
            self._checkpoints.on_interrupt = lambda: _say_checkpoint(display)

        def on_progress(progress: Progress) -> None:
            display.training(progress)
            self._log(lambda log: log.training(progress))

        def on_epoch_end(report: EpochReport) -> bool:
            stops = self._stopping(report) if self._stopping else False
            accuracy = self._stopping.accuracies[-1] if self._stopping else None
            display.epoch(report, accuracy)
            self._log(lambda log: log.epoch(report, accuracy))
            return stops

        try:
            model.fit(
                text,
                start=start,
                progress=on_progress,
                on_epoch_end=on_epoch_end if self._follows_epochs else None,
                checkpoints=self._checkpoints,
                resume=self._resume,
                ranks=self._ranks,
                device=self._device,
            )
        except EmbedkitError as error:  # perhaps no checkpoint could be written after an interrupt
            message = f"Error: {rendered(error)}"
            call_if_interrupted(lambda: message)
            raise

    def _how_to_resume(self) -> str:
        """Return what to print if training is interrupted, depending on what is then on disk."""
        if self._checkpoints is None or self._written():
            return ""
        others = ""
        if self._ranks.size > 1:
            from embedkit.system.ranks import RANK_ENDED

            others = f"{RANK_ENDED.capitalize()}, or the job was stopped. "
        if not self._checkpoints.on_disk():
            return f"{others}No checkpoint was written."
        return (
            f"{others}The last checkpoint is in {self._checkpoints.path}. "
            "Run the same command with --resume to continue from it."
        )

    def finish(self) -> None:
        """Remove the checkpoints once the model is written."""
        if self._checkpoints:
            self._checkpoints.clear()

    def _log(self, write: Callable[[ProgressLog | EventLog], None]) -> None:
        """Write to the logs; one that cannot be written does not end the training."""
        for log in [*self._logs]:
            try:
                write(log)
            except StorageError as error:
                self._logs.remove(log)
                with contextlib.suppress(StorageError):
                    log.close()
                self._say(f"Warning: {rendered(error)}")

    def close(self) -> None:
        """Close the logs."""
        self._log(lambda log: log.close())


def _refuse_logs_in_model(output: Path, options: Mapping[str, Any]) -> None:
    """Refuse a log that is the model or in it, and a directory of logs around the model."""
    model = output.resolve()
    for name in ("log_json", "log_dir"):
        if given := options[name]:
            log = Path(given).resolve()
            if log == model:
                place = "the output"
            elif log.is_relative_to(model):
                place = "inside the output"
            elif model.is_relative_to(log):
                place = "around the output"
            else:
                continue
            option = f"--{name.replace('_', '-')}"
            raise ConfigurationError(
                f"{option} {given} is {place}, {output}.", hint="Choose a path beside it."
            )


def _say_checkpoint(display: Display) -> None:
    with contextlib.suppress(OSError):  # the terminal is closed
        display.say(
            "Interrupted: writing a checkpoint ... "
            f"(Ctrl-C after {PATIENCE:.0f} seconds quits without it)"
        )
