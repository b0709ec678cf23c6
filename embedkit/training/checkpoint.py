"""Checkpoints, from which interrupted training resumes.

    model.embedkit.checkpoint/
      0000001200/     a model directory: both matrices after 1,200 chunks, and the training state
      0000002400/

Each checkpoint is written atomically and synced to disk before older ones are removed, and the last
two are kept. So there is always a complete one. Each is a model that can be opened and queried.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError
from embedkit.storage.model_directory import (
    StoredModel,
    is_saved_model,
    read_model,
    remove_model,
    write_model,
)
from embedkit.system.files import resolve_output
from embedkit.system.full_disk import storage_errors
from embedkit.system.interrupts import held
from embedkit.system.locks import locked_output
from embedkit.system.logs import logger
from embedkit.training.composition import InputRows
from embedkit.training.config import TrainingConfig
from embedkit.training.divergence import divergence
from embedkit.training.plan import EpochPlan
from embedkit.training.schedule import SCHEDULE_VERSION
from embedkit.training.state import TrainingState, input_tensors, state_of

__all__ = ["Checkpoints"]

_log = logger(__name__)

_GENERATIONS = 2
_NAME = re.compile(r"\d{10}")  # of a checkpoint
_UNFINISHED = re.compile(r"\.\d{10}\.[0-9a-f]{16}\.tmp")
_MAY_CHANGE = frozenset({"workers"})  # settings that may differ between a run and its resumption


class Checkpoints:
    """The checkpoints of one training run.

    Args:
        path: the directory of the checkpoints; created with the first one.
        every: seconds between checkpoints.
        on_interrupt: called when training is interrupted, before the last checkpoint is written.

    Raises:
        ConfigurationError: *every* is not above 0.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: float = 300.0,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        if not every > 0:
            raise ConfigurationError(
                f"the interval between checkpoints must be above 0 seconds, got {every!r}."
            )
        self.path = Path(path)
        self.every = every
        self.on_interrupt = on_interrupt
        self._last = time.monotonic()

    @classmethod
    def beside(
        cls,
        model: str | os.PathLike[str],
        *,
        every: float = 300.0,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> Checkpoints:
        """Return the checkpoints of the training run that writes *model*."""
        target = Path(os.path.abspath(model))
        path = target.with_name(target.name + ".checkpoint")
        return cls(path, every=every, on_interrupt=on_interrupt)

    def on_disk(self) -> bool:
        """Tell whether there is a checkpoint."""
        return bool(self._generations())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other training runs from using these checkpoints; see `locked_output`."""
        with locked_output(self.path):
            self.check()
            yield

    def check(self) -> None:
        """Check that checkpoints can be written, before training starts.

        Raises:
            OutputExistsError: the path is not a directory.
            StorageError: the path cannot be examined.
        """
        resolve_output(self.path, overwrite=True, directory=True)

    def begin_again(self, *, overwrite: bool) -> None:
        """Remove the checkpoints of an earlier training run.

        Raises:
            OutputExistsError: there are checkpoints, and *overwrite* is false.
        """
        if self._generations() and not overwrite:
            raise OutputExistsError(
                f"{self.path} contains the checkpoints of an interrupted training run.",
                hint="Pass --resume (resume=True) to continue it, or --overwrite to start again.",
            )
        self.clear()

    def due(self) -> bool:
        """Tell whether it is time for the next checkpoint."""
        return time.monotonic() - self._last >= self.every

    def save(
        self,
        state: TrainingState,
        config: TrainingConfig,
        vocabulary: Vocabulary,
        fingerprint: str,
        rows: InputRows | None = None,
    ) -> None:
        """Write a checkpoint and remove all but the last two.

        Args:
            state: what to save.
            config: the settings.
            vocabulary: the words that are trained.
            fingerprint: of the corpus.
            rows: what the rows of the input matrix are; None if there is one for each word.

        Raises:
            StorageError: the disk is full, or the path is not writable. Older checkpoints stay.
            TrainingError: a matrix contains infinity or NaN.
        """
        self._last = time.monotonic()
        target = self.path / f"{state.chunk:010}"
        if target.exists():
            return
        for matrix in (state.inputs, state.outputs):
            if not np.isfinite(matrix.sum(dtype=np.float64)):
                raise divergence("a number is not finite", config)
        stored = {
            "encoder": "skipgram" if config.ngrams is None else "subword",
            "dimension": config.dimension,
            "settings": asdict(config),
            "checkpoint": {
                "chunk": state.chunk,
                "pairs": state.pairs.tolist(),
                "losses": state.losses.tolist(),
                "seconds": state.seconds,
                "ranks": state.ranks,
                "chunk_tokens": state.chunk_tokens,
                "stopped": state.stopped,
                "schedule": state.schedule,
                "corpus_fingerprint": fingerprint,
                "plan": asdict(state.plan) if state.plan else None,
            },
        }
        tensors = {**input_tensors(state.inputs, rows), "context": state.outputs}
        if rows and (subwords := rows.subwords(state.inputs)):
            stored["subwords"] = subwords.config
        try:
            with storage_errors(self.path):
                self.path.mkdir(exist_ok=True)
            write_model(target, config=stored, vocabulary=vocabulary, tensors=tensors)
        finally:
            with held(), contextlib.suppress(OSError):
                self.path.rmdir()  # fails unless it is empty
        _log.info("Wrote the checkpoint %s", target)
        for old in self._generations()[:-_GENERATIONS]:
            remove_model(old)
        self._last = time.monotonic()

    def latest(
        self,
        config: TrainingConfig,
        vocabulary: Vocabulary,
        fingerprint: str,
        ranks: int = 1,
        chunk_tokens: int = TrainingState.chunk_tokens,
    ) -> TrainingState | None:
        """Return the state of the newest complete checkpoint, or None if there is no checkpoint.

        Raises:
            ConfigurationError: the corpus, the vocabulary or a setting has changed since, or the
                checkpoint counts the stops of several ranks by another schedule.
            ModelError: all checkpoints are damaged.
        """
        self._remove_unfinished()
        damage: ModelError | None = None
        for path in reversed(self._generations()):
            try:
                model = read_model(path)
            except ModelError as error:
                damage = error
                continue
            state = state_of(model)
            now = asdict(config) | {"ranks": ranks, "chunk_tokens": chunk_tokens}
            self._check(model, now, vocabulary, fingerprint)
            if ranks > 1 and state.schedule != SCHEDULE_VERSION:
                raise ConfigurationError(
                    f"{path} was written by another version of embedkit, whose processes "
                    "synchronized at other points of the text.",
                    hint="Resume with that version, or pass --overwrite without --resume "
                    "(resume=False) to start again.",
                )
            return state
        if damage is not None:
            raise damage
        return None

    def plan(self) -> EpochPlan | None:
        """Return how the run chose its number of epochs; None if it had no time budget.

        `latest` checks whether the checkpoint belongs to the same run.
        """
        for path in reversed(self._generations()):
            with contextlib.suppress(ModelError):
                return state_of(read_model(path)).plan
        return None

    def clear(self) -> None:
        """Remove all checkpoints, and their directory unless it contains anything else."""
        with held():
            self._remove_unfinished()
            for path in self._generations():
                remove_model(path)
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def _generations(self) -> list[Path]:
        """Return the checkpoints, oldest first."""
        if not self.path.is_dir():
            return []
        named = (path for path in self.path.iterdir() if _NAME.fullmatch(path.name))
        return sorted(path for path in named if is_saved_model(path))

    def _remove_unfinished(self) -> None:
        """Remove temporary files left by a process that was killed while writing."""
        for path in self.path.glob(".*.tmp"):
            if _UNFINISHED.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)

    def _check(
        self,
        model: StoredModel,
        settings: Mapping[str, Any],
        vocabulary: Vocabulary,
        fingerprint: str,
    ) -> None:
        # A checkpoint of an older version lacks settings that are new; they had their defaults.
        before = asdict(TrainingConfig()) | model.config.get("settings", {})
        before |= model.config["checkpoint"]
        may_change = _MAY_CHANGE
        if settings.get("sync_every") is None:  # one process does not use it
            may_change = may_change | {"sync_every"}
        changed = [
            f"{name} was {before.get(name)!r} and is now {value!r}"
            for name, value in settings.items()
            if name not in may_change and before.get(name) != value
        ]
        if model.config["checkpoint"].get("corpus_fingerprint") != fingerprint:
            changed.append("the corpus is different")
        elif model.vocabulary != vocabulary:
            changed.append("the vocabulary is different (check --continue-from)")
        if changed:
            raise ConfigurationError(
                f"{self.path} belongs to another training run: {'; '.join(changed)}.",
                hint="Use the same corpus and settings, or remove that directory.",
            )
