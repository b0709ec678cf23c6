"""word2vec: one row for each word, trained by skip-gram or CBOW."""

from __future__ import annotations

from typing import ClassVar

from embedkit.encoders.trained import TrainedEncoder

__all__ = ["SkipGramEncoder"]


class SkipGramEncoder(TrainedEncoder):
    """Dense vectors trained by skip-gram with negative sampling (Mikolov et al. 2013).

    With ``architecture="cbow"``, they are trained by CBOW instead. `TrainingConfig` describes the
    parameters, and `TrainedEncoder` the attributes.

    Raises:
        ConfigurationError: a setting is out of range.
    """

    name: ClassVar[str] = "skipgram"

    def __init__(
        self,
        *,
        dimension: int = 100,
        window: int = 5,
        negative: int = 5,
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
    ) -> None:
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
        )
