"""The settings of a linear model of texts, and what its training reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.tokenizers import TOKENIZERS
from embedkit.validation import Ranges, check_choice, check_ranges

__all__ = ["LinearSettings", "Step", "Validation"]

_RANGES: Ranges = {"ngrams": (1, 10), "C": (1e-6, 1e6), "seed": (0, 2**63 - 1)}


@dataclass(frozen=True)
class LinearSettings:
    """Settings of a linear model of texts.

    Attributes:
        ngrams: the length of the longest word n-grams that are terms.
        C: inverse strength of the L2 penalty, as in scikit-learn's logistic regression;
            None chooses it on held-out texts.
        tokenizer: a name in `embedkit.corpus.tokenizers.TOKENIZERS`.
        seed: of the choice of held-out texts; the rest of the training is not random.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    ngrams: int = 2
    C: float | None = None
    tokenizer: str = "words+punctuation"
    seed: int = 1

    def __post_init__(self) -> None:
        check_ranges(self, _RANGES, optional=["C"])
        check_choice("tokenizer", self.tokenizer, TOKENIZERS)


class Step(NamedTuple):
    """Progress of training: the model that is being fitted, counted from 1, and how many may be."""

    model: int
    models: int


@dataclass(frozen=True)
class Validation:
    """What held-out texts showed.

    Attributes:
        C: the chosen inverse strength of the L2 penalty.
        temperature: what the scores were divided by.
        loss: mean loss of the held-out texts with this C and temperature, smoothed as by
            `fit_temperature`; NaN if none were held out.
        rows: numbers of the held-out texts, int64 (m,).
        scores: of the held-out texts, calibrated, by models that were not trained on them, float32
            (m, K).
    """

    C: float
    temperature: float
    loss: float
    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
