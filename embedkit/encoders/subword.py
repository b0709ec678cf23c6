"""Words composed of character n-grams, so that unknown words have vectors, too."""

from __future__ import annotations

from typing import ClassVar

from embedkit.encoders.trained import TrainedEncoder
from embedkit.errors import ConfigurationError

__all__ = ["SubwordEncoder"]


class SubwordEncoder(TrainedEncoder):
    """Dense vectors composed of the character n-grams of words (Bojanowski et al. 2017).

    The vector of a word is the mean of its own row and the rows of its n-grams; that of an unknown
    word is the mean of the rows of its n-grams. N-grams are hashed as by fastText, so models can be
    exchanged with it. By default, they have 4 to 6 characters, or 3 to 5 with CBOW.
    `TrainingConfig` describes the parameters, and `TrainedEncoder` the attributes.

    Raises:
        ConfigurationError: a setting is out of range.
    """

    name: ClassVar[str] = "subword"

    def __init__(
        self,
        *,
        dimension: int = 100,
        window: int = 5,
        negative: int = 11,
        epochs: int | None = None,
        time_budget: float | None = None,
        min_count: int = 5,
        sample: float | None = None,
        learning_rate: float | None = None,
        minimum_learning_rate: float = 5e-6,
        workers: int | None = None,
        seed: int = 1,
        sync_every: int | None = None,
        architecture: str = "skipgram",
        position_weights: bool = False,
        min_ngram: int | None = None,
        max_ngram: int | None = None,
        buckets: int = 2_000_000,
    ) -> None:
        if buckets is None:
            raise ConfigurationError(
                "the encoder subword needs buckets.",
                hint="Leave buckets out for the default, or use SkipGramEncoder.",
            )
        super().__init__(
            dimension=dimension,
            window=window,
            negative=negative,
            epochs=epochs,
            time_budget=time_budget,
            min_count=min_count,
            sample=sample,
            learning_rate=learning_rate,
            minimum_learning_rate=minimum_learning_rate,
            workers=workers,
            seed=seed,
            sync_every=sync_every,
            architecture=architecture,
            position_weights=position_weights,
            min_ngram=min_ngram,
            max_ngram=max_ngram,
            buckets=buckets,
        )
