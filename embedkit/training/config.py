"""Settings of training, and their ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from embedkit.errors import ConfigurationError
from embedkit.system.memory import processors
from embedkit.training.options import ARCHITECTURES
from embedkit.validation import Ranges, check_choice, check_ranges, within

if TYPE_CHECKING:
    from embedkit.corpus.ngrams import Ngrams

__all__ = [
    "LEARNING_RATES",
    "NGRAM_LENGTHS",
    "RANGES",
    "SAMPLES",
    "TrainingConfig",
    "ngram_settings",
]

RANGES: Ranges = {
    "dimension": (1, 1024),
    "window": (1, 60),  # the kernel multiplies up to 120 factors, each at most 2, in float32
    "negative": (1, 25),
    "epochs": (1, 10_000),
    "time_budget": (1.0, 31_536_000.0),  # a year
    "min_count": (1, 2**31),
    "sample": (0.0, 1.0),
    "learning_rate": (1e-6, 0.1),
    "minimum_learning_rate": (0.0, 0.1),
    "workers": (1, 1024),
    "seed": (0, 2**63 - 1),
    "sync_every": (1, 2**63 - 1),
    "min_ngram": (1, 255),
    "max_ngram": (1, 255),
    "buckets": (1, 2**31 - 1),
}
"""The lowest and highest value of each setting; settings with integer limits are integers."""

SAMPLES: Mapping[int, float] = {30_000: 1e-4, 5_000: 1e-3, 0: 0.0}
"""The default subsampling threshold for corpora of at least this many tokens.

With a small corpus, a threshold of 1e-4 discards so many words that too little is left to learn
from. The sizes were chosen by training on 1,000 to 200,000 tokens of an English text and of a
generated text with thresholds of 0, 1e-3 and 1e-4. The cosine similarities of random word pairs
were then compared, by rank correlation, with those from training on the whole text.
"""

LEARNING_RATES: Mapping[tuple[str, bool], float] = {
    ("skipgram", False): 0.05,
    ("cbow", False): 0.075,
    ("skipgram", True): 0.035,
    ("cbow", True): 0.1,
}
"""The default learning rate, by the architecture, and by whether words have n-grams."""

NGRAM_LENGTHS: Mapping[str, tuple[int, int]] = {"skipgram": (4, 6), "cbow": (3, 5)}
"""The default lengths of the shortest and the longest n-grams, by the architecture."""

_OPTIONAL = (
    "epochs", "time_budget", "sample", "learning_rate", "workers", "sync_every", "min_ngram",
    "max_ngram", "buckets",
)  # fmt: skip
_ENOUGH_TOKENS = 20_000_000
_SYNC_TOKENS = 250_000  # of all ranks between two synchronizations
_MIN_EPOCHS, _MAX_EPOCHS = 5, 50


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of training with negative sampling (Mikolov et al. 2013, arXiv:1310.4546).

    Attributes:
        dimension: length of the vectors.
        window: maximum distance between a word and its context words; the actual window of each
            word is drawn uniformly from 1 to this.
        negative: negative samples per word, drawn from the noise distribution (unigram counts to
            the power 0.75) and shared by all pairs of the word's window.
        epochs: passes over the corpus; None means 5, or more for a small corpus: as many as it
            takes to read about 20 million tokens, but at most 50.
        time_budget: seconds for the training passes, instead of *epochs*. The speed is measured
            first, and as many epochs are trained as fit, at least 1 and at most 50; see
            `training.plan`.
        min_count: words with fewer occurrences are ignored.
        sample: subsampling threshold for frequent words, as a fraction of the corpus; 0 keeps every
            word; None means 1e-4, or 1e-3 or 0 for a small corpus; see `SAMPLES`.
        learning_rate: initial learning rate; it decays linearly, but not below
            `minimum_learning_rate`. None means 0.05, or for n-grams and CBOW see `LEARNING_RATES`.
        workers: number of threads; None means one per processor. Training with one worker is
            deterministic.
        seed: seed of all random draws.
        sync_every: tokens that each rank trains on between two synchronizations of the most
            frequent words; see `schedule`. None means 250,000 divided by the number of ranks. Not
            used if there is only one process.
        architecture: "skipgram", where each context predicts the center and its negative samples,
            or "cbow", where the mean of the contexts does.
        position_weights: multiply contexts by a weight vector of their position (Mikolov et al.
            2018, arXiv:1712.09405); for "cbow" only.
        min_ngram, max_ngram: lengths of the character n-grams that words are composed of, in code
            points including the < and > that enclose a word; None means the architecture's default,
            see `NGRAM_LENGTHS`.
        buckets: number of rows that n-grams are hashed to, of which only those that occur take
            memory; None for words without n-grams.

    Raises:
        ConfigurationError: a value is outside its range.
    """

    dimension: int = 100
    window: int = 5
    negative: int = 5
    epochs: int | None = None
    time_budget: float | None = None
    min_count: int = 5
    sample: float = None  # type: ignore[assignment]  # set when training starts
    learning_rate: float = None  # type: ignore[assignment]  # as for sample
    minimum_learning_rate: float = 5e-6
    workers: int | None = None
    seed: int = 1
    sync_every: int | None = None
    architecture: str = "skipgram"
    position_weights: bool = False
    min_ngram: int | None = None
    max_ngram: int | None = None
    buckets: int | None = None

    def __post_init__(self) -> None:
        check_ranges(self, RANGES, optional=_OPTIONAL)
        if self.epochs is not None and self.time_budget is not None:
            raise ConfigurationError(
                "epochs and time_budget cannot be combined: the time decides the number of epochs.",
                hint="Pass either --epochs (epochs) or --time (time_budget).",
            )
        check_choice("architecture", self.architecture, ARCHITECTURES)
        if not isinstance(self.position_weights, bool):
            raise ConfigurationError(
                f"position_weights must be True or False, not {self.position_weights!r:.60}."
            )
        if self.position_weights and self.architecture != "cbow":
            raise ConfigurationError(
                "position weights need the architecture cbow.",
                hint='Pass --architecture cbow (architecture="cbow"), or leave them out.',
            )
        if self.buckets is None:
            if self.min_ngram is not None or self.max_ngram is not None:
                raise ConfigurationError(
                    "min_ngram and max_ngram need buckets.",
                    hint="Give buckets, or none of the three for words without n-grams.",
                )
            return
        shortest, longest = self._ngram_lengths
        if shortest > longest:
            raise ConfigurationError(
                f"the shortest n-grams have {shortest} characters, more than the longest, "
                f"{longest}.",
                hint="Lower --min-ngram (min_ngram), or raise --max-ngram (max_ngram).",
            )

    @property
    def _ngram_lengths(self) -> tuple[int, int]:
        shortest, longest = NGRAM_LENGTHS[self.architecture]
        return self.min_ngram or shortest, self.max_ngram or longest

    @property
    def has_gpu_kernel(self) -> bool:
        """Whether a GPU can train with these settings."""
        return not self.position_weights

    @property
    def ngrams(self) -> Ngrams | None:
        """The n-grams that words are composed of, or None."""
        if self.buckets is None:
            return None
        from embedkit.corpus.ngrams import Ngrams  # imports numpy, which the command line avoids

        return Ngrams(*self._ngram_lengths, self.buckets)

    @classmethod
    def of(cls, config: TrainingConfig | None = None, **settings: object) -> TrainingConfig:
        """Return *config*, or the default one, with some settings changed.

        Raises:
            ConfigurationError: a setting is unknown or outside its range.
        """
        known = [field.name for field in fields(cls)]
        for name in settings:
            check_choice("setting", name, known)
        return replace(config or cls(), **settings)  # type: ignore[arg-type]

    def epochs_for(self, tokens: int) -> int:
        """Return the number of passes over a corpus of *tokens* tokens, without a time budget."""
        if self.epochs is not None:
            return self.epochs
        return min(_MAX_EPOCHS, max(_MIN_EPOCHS, math.ceil(_ENOUGH_TOKENS / max(tokens, 1))))

    def sample_for(self, tokens: int) -> float:
        """Return the subsampling threshold for a corpus of *tokens* tokens."""
        chosen: float | None = self.sample
        if chosen is None:
            return next(sample for least, sample in SAMPLES.items() if tokens >= least)
        return chosen

    def rate(self) -> float:
        """Return the initial learning rate."""
        chosen: float | None = self.learning_rate
        if chosen is not None:
            return chosen
        return LEARNING_RATES[self.architecture, self.buckets is not None]

    def sync_interval(self, ranks: int) -> int:
        """Return the tokens that each of several ranks trains on between synchronizations."""
        return self.sync_every or max(1, _SYNC_TOKENS // ranks)

    def worker_count(self) -> int:
        """Return the number of threads."""
        return self.workers or processors()


def ngram_settings(ngrams: Ngrams | None) -> dict[str, int]:
    """Return the settings that describe n-grams; empty without n-grams.

    Those that are out of range, which another program may allow, are left out.
    """
    if ngrams is None:
        return {}
    sizes = {
        "min_ngram": ngrams.shortest, "max_ngram": ngrams.longest, "buckets": ngrams.buckets
    }  # fmt: skip
    return within(RANGES, sizes)
