"""Training as TensorBoard events, written by torch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from embedkit.cli.progress import NOT_LOGGED
from embedkit.errors import ConfigurationError, StorageError
from embedkit.system.full_disk import storage_errors

if TYPE_CHECKING:
    from embedkit.training.report import EpochReport, Progress

__all__ = ["EventLog", "check_log_directory"]

_SECONDS_BETWEEN_EVENTS = 1.0


def check_log_directory(path: str) -> None:
    """Check whether events can be written to a directory, as far as that is known beforehand.

    Raises:
        ConfigurationError: TensorBoard, which torch needs to write events, is missing.
        StorageError: *path* is a file.
    """
    if find_spec("tensorboard") is None:
        raise ConfigurationError(
            "--log-dir needs TensorBoard, which is not installed.",
            hint="Run pip install 'embedkit[tensorboard]'.",
        )
    if Path(path).exists() and not Path(path).is_dir():
        raise StorageError(
            f"--log-dir {path} is a file, not a directory.", hint="Choose another path."
        )


class EventLog:
    """A directory of events: loss, learning rate and speed by token; loss and score by epoch.

    Args:
        path: the directory, which is created if needed. Each run adds a file to it.
    """

    def __init__(self, path: str) -> None:
        from torch.utils.tensorboard import SummaryWriter  # takes seconds

        self._path = path
        self._last = -math.inf
        with storage_errors(path):
            self._writer = SummaryWriter(path)

    def training(self, progress: Progress) -> None:
        """Write the progress of training, at most once a second."""
        if time.monotonic() - self._last < _SECONDS_BETWEEN_EVENTS:
            return
        self._last = time.monotonic()
        scalars = {
            "training/loss": progress.loss,
            "training/learning_rate": progress.learning_rate,
            "training/words_per_second": progress.tokens_per_second,
        }
        self._write(scalars, progress.tokens)

    def epoch(self, report: EpochReport, accuracy: float | None) -> None:
        """Write the loss of an epoch, and its score if there is one."""
        self._write({"epoch/loss": report.loss, "epoch/analogies": accuracy}, report.epoch)
        with storage_errors(self._path, NOT_LOGGED):
            self._writer.flush()
        self._last = -math.inf

    def _write(self, scalars: Mapping[str, float | None], step: int) -> None:
        with storage_errors(self._path, NOT_LOGGED):
            for name, value in scalars.items():
                if value is not None and math.isfinite(value):
                    self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left, and close the file."""
        with storage_errors(self._path, NOT_LOGGED):
            self._writer.close()
