"""The textbook's worked examples, and torch's own functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from embedkit.heads.losses import (
    binary_cross_entropy,
    negative_log_likelihood,
    sigmoid,
    softmax,
    squared_error,
)

LOGITS = np.random.default_rng(0).normal(0, 5, (50, 4))
CLASSES = np.random.default_rng(1).integers(0, 4, 50)


def test_softmax_of_five_numbers() -> None:
    shares = softmax(np.array([5.0, 4.0, 3.0, 2.0, 1.0]))
    np.testing.assert_allclose(shares, [0.636, 0.234, 0.086, 0.032, 0.012], atol=5e-4)
    assert shares.sum() == pytest.approx(1)


def test_negative_log_likelihood_of_three_texts() -> None:
    # -ln .71 = .342, -ln .98 = .020, -ln .49 = .713
    shares = np.array([[0.71, 0.26, 0.03], [0.01, 0.98, 0.01], [0.2, 0.31, 0.49]])
    losses = negative_log_likelihood(np.log(shares), np.array([0, 1, 2]))
    np.testing.assert_allclose(losses, [0.34, 0.02, 0.71], atol=5e-3)
    assert losses.sum() == pytest.approx(1.07, abs=0.01)


def test_binary_cross_entropy_by_hand() -> None:
    # log-odds of .8 are ln 4: a true 1 costs -ln .8 = .2231, a true 0 costs -ln .2 = 1.6094
    logits = np.full((2, 1), np.log(4))
    np.testing.assert_allclose(sigmoid(logits), 0.8)
    losses = binary_cross_entropy(logits, np.array([1.0, 0.0]))
    np.testing.assert_allclose(losses, [0.2231, 1.6094], atol=5e-5)


def test_squared_error_by_hand() -> None:
    # (1 - 3)^2 = 4 and (2 - 2)^2 = 0, on average 2
    assert squared_error(np.array([[1.0, 2.0]]), np.array([[3.0, 2.0]])) == pytest.approx(2)


def test_torch_gives_the_same() -> None:
    logits, classes = torch.tensor(LOGITS), torch.tensor(CLASSES)
    binary = CLASSES % 2
    np.testing.assert_allclose(softmax(LOGITS), torch.softmax(logits, 1))
    np.testing.assert_allclose(sigmoid(LOGITS), torch.sigmoid(logits))
    np.testing.assert_allclose(
        negative_log_likelihood(LOGITS, CLASSES),
        functional.nll_loss(functional.log_softmax(logits, 1), classes, reduction="none"),
    )
    np.testing.assert_allclose(
        binary_cross_entropy(LOGITS[:, :1], binary),
        functional.binary_cross_entropy(
            torch.sigmoid(logits[:, 0]), torch.tensor(binary).double(), reduction="none"
        ),
    )
    np.testing.assert_allclose(
        squared_error(LOGITS, LOGITS[::-1]),
        functional.mse_loss(logits, logits.flip(0), reduction="none").mean(1),
    )


def test_large_logits_overflow_nowhere() -> None:
    huge = np.array([[1000.0], [-1000.0]])
    np.testing.assert_array_equal(sigmoid(huge), [[1], [0]])
    np.testing.assert_array_equal(binary_cross_entropy(huge, np.array([0.0, 0.0])), [1000, 0])
    pair = np.hstack([huge, -huge])
    np.testing.assert_array_equal(negative_log_likelihood(pair, np.array([1, 1])), [2000, 0])
