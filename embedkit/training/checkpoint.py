"""Checkpoints: training that was cut off goes on where it was.

    model.embedkit.checkpoint/
      0000001200/     a model directory: both matrices after 1,200 chunks, and how far that was
      0000002400/

A generation appears in one step and is synced to disk, and the one before it is kept until then, so
there is a whole one at every moment. Each is a model: it can be opened and asked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, ModelError, OutputExistsError, TrainingError
from embedkit.storage.model_directory import StoredModel, read_model, write_model
from embedkit.system.files import storage_errors
from embedkit.system.interrupts import held
from embedkit.training.config import TrainingConfig

__all__ = ["Checkpoints", "State"]

_GENERATIONS = 2
_FREE = frozenset({"workers"})  # settings that may differ between a run and its resumption


@dataclass(frozen=True)
class State:
    """Where training stands between two chunks.

    Attributes:
        chunk: number of the next one.
        pairs, losses: of each epoch, int64 and float64, (epochs,).
        seconds: of training so far.
        inputs, outputs: the matrices, float32 (words, dimension).
        ranks: number of processes that train together.
        chunk_tokens: tokens in a chunk.
        stopped: how often all threads stood still so far; ranks go on from there.
    """

    chunk: int
    pairs: NDArray[np.int64]
    losses: NDArray[np.float64]
    seconds: float
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    ranks: int = 1
    chunk_tokens: int = 10_000
    stopped: int = 0


class Checkpoints:
    """The generations of one training.

    Args:
        path: directory of the generations; made when the first one is written.
        every: seconds between two.
        on_interrupt: is called before the one is written that an interrupt asks for.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: float = 300.0,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        if not every > 0:
            raise ConfigurationError(f"a checkpoint comes every so many seconds, not {every!r}")
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
        """Return the checkpoints of the training that will write *model*."""
        target = Path(os.path.abspath(model))
        path = target.with_name(target.name + ".checkpoint")
        return cls(path, every=every, on_interrupt=on_interrupt)

    def on_disk(self) -> bool:
        """Tell whether there is one."""
        return bool(self._generations())

    def begin_again(self, *, overwrite: bool) -> None:
        """Remove the generations of an earlier training.

        Raises:
            OutputExistsError: there are some, and *overwrite* is false.
        """
        if self._generations() and not overwrite:
            raise OutputExistsError(
                f"{self.path} holds a training that was cut off, and is kept.",
                hint=("--resume (resume=True) goes on with it, --overwrite begins again."),
            )
        self.clear()

    def due(self) -> bool:
        """Tell whether it is time for the next one."""
        return time.monotonic() - self._last >= self.every

    def save(
        self, state: State, config: TrainingConfig, vocabulary: Vocabulary, fingerprint: str
    ) -> None:
        """Write a generation and remove those before the last.

        Raises:
            StorageError: the disk is full or the place cannot be written to; what was there stays.
            TrainingError: a matrix holds something that is no number.
        """
        self._last = time.monotonic()
        target = self.path / f"{state.chunk:010}"
        if target.exists():
            return
        for matrix in (state.inputs, state.outputs):
            if not np.isfinite(matrix.sum(dtype=np.float64)):
                raise TrainingError(
                    f"a vector is no longer finite with learning_rate={config.learning_rate:g}.",
                    hint="Lower the learning rate. The last checkpoint is kept.",
                )
        stored = {
            "encoder": "skipgram",
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
                "corpus_fingerprint": fingerprint,
            },
        }
        tensors = {"vectors": state.inputs, "context": state.outputs}
        try:
            with storage_errors(self.path):
                self.path.mkdir(exist_ok=True)
            write_model(target, config=stored, vocabulary=vocabulary, tensors=tensors)
        finally:
            with held(), contextlib.suppress(OSError):
                self.path.rmdir()  # only if nothing is in it
        for old in self._generations()[:-_GENERATIONS]:
            shutil.rmtree(old)
        self._last = time.monotonic()

    def latest(
        self,
        config: TrainingConfig,
        vocabulary: Vocabulary,
        fingerprint: str,
        ranks: int = 1,
        chunk_tokens: int = State.chunk_tokens,
    ) -> State | None:
        """Return the newest generation that is whole, or None if there is none at all.

        Raises:
            ConfigurationError: it is of another corpus, of other words or settings.
            ModelError: none of the generations is whole.
        """
        self._remove_unfinished()
        damage: ModelError | None = None
        for path in reversed(self._generations()):
            try:
                model = read_model(path)
            except ModelError as error:
                damage = error
                continue
            state = _state(model)
            now = asdict(config) | {"ranks": ranks, "chunk_tokens": chunk_tokens}
            self._check(model, now, vocabulary, fingerprint)
            return state
        if damage is not None:
            raise damage
        return None

    def clear(self) -> None:
        """Remove all generations: training has ended and its model is written."""
        with held():
            shutil.rmtree(self.path, ignore_errors=True)

    def _generations(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.iterdir() if path.name.isdecimal())

    def _remove_unfinished(self) -> None:
        """Remove what a process left that was killed while it wrote."""
        for path in self.path.glob(".*.tmp"):
            shutil.rmtree(path, ignore_errors=True)

    def _check(
        self,
        model: StoredModel,
        settings: Mapping[str, Any],
        vocabulary: Vocabulary,
        fingerprint: str,
    ) -> None:
        before = model.config.get("settings", {}) | model.config["checkpoint"]
        changed = [
            f"{name} was {before.get(name)!r} and is {value!r}"
            for name, value in settings.items()
            if name not in _FREE and before.get(name) != value
        ]
        if model.config["checkpoint"].get("corpus_fingerprint") != fingerprint:
            changed.append("the corpus is another one")
        elif model.vocabulary != vocabulary:
            changed.append("the words are others (was there another --continue-from, or none?)")
        if changed:
            raise ConfigurationError(
                f"{self.path} is of another training: {'; '.join(changed)}.",
                hint="Give the same corpus and settings, or remove that directory.",
            )


def _state(model: StoredModel) -> State:
    """Return what a generation holds.

    Raises:
        ModelError: it is a model, but no checkpoint.
    """
    try:
        saved = model.config["checkpoint"]
        return State(
            chunk=int(saved["chunk"]),
            pairs=np.array(saved["pairs"], dtype=np.int64),
            losses=np.array(saved["losses"], dtype=np.float64),
            seconds=float(saved["seconds"]),
            inputs=model.tensors["vectors"],
            outputs=model.tensors["context"],
            ranks=int(saved["ranks"]),
            chunk_tokens=int(saved["chunk_tokens"]),
            stopped=int(saved["stopped"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{model.path} is no checkpoint: {error!r}.", hint="Remove that directory."
        ) from error
