"""Errors and warnings about training that diverged or learned almost nothing."""

from __future__ import annotations

import math

from embedkit.errors import TrainingError
from embedkit.training.config import TrainingConfig

__all__ = ["LARGEST_LOSS", "divergence", "high_loss"]

LARGEST_LOSS = 5.0
"""In nats; with a higher loss of the last epoch, vectors mean nothing. That of guessing is ln 2."""

_GUESSING = math.log(2)
_HIGH_LOSS, _DIVERGED = 0.68, 0.75  # close to that of guessing, and above it
_LOWER_THE_RATE = "Lower the learning rate (--learning-rate), or use a narrower window (--window)."


def divergence(problem: str, config: TrainingConfig) -> TrainingError:
    """Return the error for training that diverged.

    Args:
        problem: what is wrong, such as "the loss is no longer finite".
        config: the settings of the training.
    """
    return TrainingError(
        f"training diverged: {problem} with learning_rate={config.rate():g}, "
        f"window={config.window}, negative={config.negative}. No model was written.",
        hint=f"{_LOWER_THE_RATE} Existing checkpoints and models were kept.",
    )


def high_loss(loss: float, sample: float) -> str:
    """Return a warning about the loss of the last epoch, or an empty string if it is low enough.

    Args:
        loss: in nats.
        sample: the subsampling threshold of the training.
    """
    if loss > _DIVERGED:
        return (
            f"the loss, {loss:,.3f}, is above that of guessing, {_GUESSING:.3f}: training "
            f"diverged. {_LOWER_THE_RATE}"
        )
    if loss <= _HIGH_LOSS:
        return ""
    remedy = ", or sample=0 (--sample 0), which keeps every word" if sample else ""
    return (
        f"the loss, {loss:.3f}, is close to that of guessing, {_GUESSING:.3f}: almost nothing was "
        f"learned. Use more text or more epochs{remedy}."
    )
