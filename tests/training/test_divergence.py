"""Messages about training whose loss is too high."""

from __future__ import annotations

import math

from embedkit.training.divergence import high_loss


def test_a_loss_far_above_that_of_guessing_is_called_divergence() -> None:
    assert "training diverged. Lower the learning rate" in high_loss(2.5, 1e-4)


def test_the_message_on_a_loss_close_to_that_of_guessing_names_remedies() -> None:
    found = high_loss(math.log(2), 1e-4)
    assert "0.693, is close to that of guessing, 0.693: almost nothing was learned" in found
    assert "sample=0" in found
    assert "sample=0" not in high_loss(math.log(2), 0)
    assert high_loss(0.4, 1e-4) == ""
