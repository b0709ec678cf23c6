"""Training that continues from other vectors: the settings that follow from them, and checks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedkit.corpus.ngrams import Ngrams
from embedkit.errors import ConfigurationError
from embedkit.training.config import RANGES, TrainingConfig, ngram_settings
from embedkit.validation import within
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

__all__ = ["NO_CONTEXT", "check_start", "ngrams_of", "settings_of"]

NO_CONTEXT = (
    "Only trained models have one; postprocessing removes it, and most file formats have none."
)
"""Why vectors usually have no output matrix."""


def ngrams_of(vectors: WordVectors) -> Ngrams | None:
    """Return the n-grams that vectors are composed of, or None."""
    return vectors.subwords.ngrams if isinstance(vectors.subwords, Subwords) else None


def settings_of(
    vectors: WordVectors, settings: Mapping[str, Any], parameters: Collection[str]
) -> dict[str, Any]:
    """Return the settings of vectors that were trained elsewhere.

    Args:
        vectors: of that training.
        settings: of that training; those that are out of range are left out.
        parameters: of the encoder; other settings are left out.
    """
    known = within(RANGES, {**settings, **ngram_settings(ngrams_of(vectors))})
    return {name: value for name, value in known.items() if name in parameters}


def check_start(vectors: WordVectors, problem: str, config: TrainingConfig) -> NDArray[np.float32]:
    """Return the output matrix of vectors from which training can continue.

    Args:
        vectors: to continue from.
        problem: why there is no output matrix, if there is none.

    Raises:
        ConfigurationError: the dimension or the n-grams differ, or there is no output matrix.
    """
    if vectors.dimension != config.dimension:
        raise ConfigurationError(
            f"dimension is {config.dimension}, but the vectors to continue from have "
            f"{vectors.dimension}.",
            hint=f"Pass dimension={vectors.dimension} (--dimension {vectors.dimension}).",
        )
    if vectors.context is None:
        raise ConfigurationError(
            f"the vectors to continue from have no output matrix, which training needs. {problem}",
            hint="Continue from a model that embedkit trained, or from a .bin file of "
            "unsupervised fastText with negative sampling.",
        )
    ngrams = ngrams_of(vectors)
    if ngrams != config.ngrams:
        raise ConfigurationError(
            f"the vectors to continue from have {_described(ngrams)}, but "
            f"the settings ask for {_described(config.ngrams)}.",
            hint="Use the same --encoder, --min-ngram, --max-ngram and --buckets.",
        )
    return vectors.context


def _described(ngrams: Ngrams | None) -> str:
    if ngrams is None:
        return "no n-grams"
    return f"n-grams of {ngrams.shortest} to {ngrams.longest} in {ngrams.buckets:,} buckets"
