"""The settings of skip-gram training, with the field's names and the ranges that are safe."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from embedkit.errors import ConfigurationError
from embedkit.system.memory import processors
from embedkit.validation import number, whole_number

__all__ = ["RANGES", "TrainingConfig"]

RANGES: dict[str, tuple[float, float]] = {
    "dimension": (1, 1024),
    "window": (1, 60),  # a factor of the loss is at most 2, and float32 holds 120 of them
    "negative": (1, 25),
    "epochs": (1, 10_000),
    "min_count": (1, 2**31),
    "sample": (0, 1),
    "learning_rate": (1e-6, 0.1),
    "minimum_learning_rate": (0, 0.1),
    "workers": (1, 1024),
    "seed": (0, 2**63 - 1),
    "sync_every": (1, 2**63 - 1),
}
_FRACTIONS = frozenset({"sample", "learning_rate", "minimum_learning_rate"})

_ENOUGH_TOKENS = 20_000_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 5, 50


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of skip-gram with negative sampling (Mikolov et al. 2013, arXiv:1310.4546).

    Attributes:
        dimension: length of a vector.
        window: words to either side of a word that it may be paired with; the reach is drawn
            evenly from 1 to this for every word.
        negative: words drawn from the noise distribution (unigram counts to the power 0.75) for
            each word, shared by the pairs of its window.
        epochs: passes over the corpus; None takes 5, and more over a small corpus, until some
            20 million tokens were read (at most 50 passes).
        min_count: rarer words are left out.
        sample: subsampling threshold for frequent words, a share of the corpus; 0 keeps all.
        learning_rate: step at the start; it falls linearly, to `minimum_learning_rate` at least.
        workers: threads; None takes one a processor. One worker gives the same bytes every time.
        seed: of every random draw.
        sync_every: tokens that a rank trains on before the ranks put together what they changed of
            the most frequent words, see `schedule`; of no effect where one process trains alone.

    Raises:
        ConfigurationError: a value lies outside its range.
    """

    dimension: int = 100
    window: int = 5
    negative: int = 5
    epochs: int | None = None
    min_count: int = 5
    sample: float = 1e-4
    learning_rate: float = 0.05
    minimum_learning_rate: float = 5e-6
    workers: int | None = None
    seed: int = 1
    sync_every: int = 500_000

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is None and name in ("epochs", "workers"):
                continue
            if name in _FRACTIONS:
                checked = number(name, value, low, high)
            else:
                checked = whole_number(name, value, int(low), int(high))
            object.__setattr__(self, name, checked)

    @classmethod
    def of(cls, config: TrainingConfig | None = None, **settings: object) -> TrainingConfig:
        """Return *config*, or the default one, with some settings changed.

        Raises:
            ConfigurationError: a setting is unknown or outside its range.
        """
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise ConfigurationError(f"no setting {name!r}; there are {', '.join(known)}")
        return replace(config or cls(), **settings)  # type: ignore[arg-type]

    def epochs_for(self, tokens: int) -> int:
        """Return the number of passes over a corpus of *tokens* tokens."""
        if self.epochs is not None:
            return self.epochs
        return min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, math.ceil(_ENOUGH_TOKENS / max(tokens, 1))))

    def worker_count(self) -> int:
        """Return the number of threads."""
        return self.workers or processors()
