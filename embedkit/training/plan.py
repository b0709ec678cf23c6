"""The number of epochs that fits a time budget."""

from __future__ import annotations

import math
from dataclasses import dataclass

from embedkit.errors import counted

__all__ = ["MOST_EPOCHS", "EpochPlan"]

MOST_EPOCHS = 50
"""More are not chosen, however much time there is: by then vectors hardly improve, or get worse."""


@dataclass(frozen=True)
class EpochPlan:
    """The number of epochs that was chosen for a time budget.

    Attributes:
        budget: seconds for measuring the speed and for the training passes.
        measuring: seconds that measuring took.
        words_per_second: measured speed of all ranks together.
        epoch_seconds: expected duration of an epoch.
        epochs: number of epochs chosen; at least 1, at most `MOST_EPOCHS`.
    """

    budget: float
    measuring: float
    words_per_second: float
    epoch_seconds: float
    epochs: int

    @classmethod
    def within(
        cls, budget: float, measuring: float, words_per_second: float, epoch_seconds: float
    ) -> EpochPlan:
        """Return the plan with as many epochs as fit."""
        fitting = math.floor((budget - measuring) / epoch_seconds)
        epochs = min(max(fitting, 1), MOST_EPOCHS)
        return cls(budget, measuring, words_per_second, epoch_seconds, epochs)

    @property
    def is_too_short(self) -> bool:
        """Whether the budget is too short even for one epoch."""
        return self.measuring + self.epoch_seconds > self.budget

    def __str__(self) -> str:
        """Describe the choice in a sentence without a period."""
        chosen = f"{counted(self.epochs, 'epoch')} for {self.budget:,g} s"
        if self.epochs == MOST_EPOCHS:
            chosen += ", the most that are chosen"
        return f"{chosen}: an epoch takes {self._duration}"

    @property
    def warning(self) -> str:
        """What to tell if the budget is too short."""
        return (
            f"{self.budget:,g} s is too short for one epoch, which takes {self._duration}; "
            "1 epoch is trained."
        )

    @property
    def _duration(self) -> str:
        return f"about {self.epoch_seconds:,.1f} s at {self.words_per_second:,.0f} words/s"
