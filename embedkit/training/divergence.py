"""The error of training whose numbers grow without limit, and what to do about it."""

from __future__ import annotations

from embedkit.errors import TrainingError
from embedkit.training.config import TrainingConfig

__all__ = ["LARGEST_LOSS", "LOWER_THE_RATE", "divergence"]

LARGEST_LOSS = 5.0
"""In nats; with a higher loss of the last epoch, vectors mean nothing. That of guessing is ln 2."""

LOWER_THE_RATE = "Lower the learning rate (--learning-rate), or use a narrower window (--window)."
"""What to do about training that diverges."""


def divergence(problem: str, config: TrainingConfig) -> TrainingError:
    """Return the error for training that diverged.

    Args:
        problem: what is wrong, such as "the loss is no longer finite".
        config: the settings of the training.
    """
    return TrainingError(
        f"training diverged: {problem} with learning_rate={config.rate():g}, "
        f"window={config.window}, negative={config.negative}. No model was written.",
        hint=f"{LOWER_THE_RATE} Existing checkpoints and models were kept.",
    )
