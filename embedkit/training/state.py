"""The state of training between two chunks, and the tensors of a model directory that hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.errors import ModelError
from embedkit.storage.model_directory import StoredModel
from embedkit.training.composition import InputRows
from embedkit.training.plan import EpochPlan
from embedkit.training.schedule import SCHEDULE_VERSION

__all__ = ["TrainingState", "input_tensors", "state_of"]


@dataclass(frozen=True)
class TrainingState:
    """The state of training between two chunks.

    Attributes:
        chunk: the number of the next chunk.
        pairs, losses: the pairs and summed loss of each epoch, int64 and float64, (epochs,).
        seconds: training time so far.
        inputs, outputs: the input and output matrix, float32, (rows, dimension) and
            (words, dimension).
        ranks: number of processes that train together.
        chunk_tokens: number of tokens in a chunk.
        stopped: number of scheduled stops reached so far; ranks resume from there.
        schedule: the version of the schedule of ranks; 0 before versions were stored.
        plan: how the number of epochs was chosen; None without a time budget.
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
    plan: EpochPlan | None = None
    schedule: int = SCHEDULE_VERSION


def input_tensors(inputs: NDArray[np.float32], rows: InputRows | None) -> dict[str, NDArray[Any]]:
    """Return the tensors of a model directory that hold the input matrix."""
    if rows is None or rows.count == rows.words:
        return {"vectors": inputs}
    tensors: dict[str, NDArray[Any]] = {
        "vectors": rows.compose(inputs),
        "own": inputs[: rows.words],
    }
    if subwords := rows.subwords(inputs):
        tensors |= subwords.tensors
    if (positions := rows.positions(inputs)) is not None:
        tensors["positions"] = positions
    return tensors


def _inputs(tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the input matrix that `input_tensors` stored."""
    if "own" not in tensors:
        return tensors["vectors"]
    names = ("own", "ngrams", "positions")
    return np.concatenate([tensors[name] for name in names if name in tensors])


def state_of(model: StoredModel) -> TrainingState:
    """Return the state in a checkpoint.

    Raises:
        ModelError: it is a model, but not a checkpoint.
    """
    try:
        saved = model.config["checkpoint"]
        return TrainingState(
            chunk=int(saved["chunk"]),
            pairs=np.array(saved["pairs"], dtype=np.int64),
            losses=np.array(saved["losses"], dtype=np.float64),
            seconds=float(saved["seconds"]),
            inputs=_inputs(model.tensors),
            outputs=model.tensors["context"],
            ranks=int(saved["ranks"]),
            chunk_tokens=int(saved["chunk_tokens"]),
            stopped=int(saved["stopped"]),
            plan=EpochPlan(**saved["plan"]) if saved.get("plan") else None,
            schedule=int(saved.get("schedule", 0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{model.path} is not a checkpoint: {error!r}.", hint="Remove that directory."
        ) from error
