"""The training loop: it learns, counts rightly, stops when told, and never ends in NaN."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting.limits import CountingLimits
from embedkit.errors import CorpusError, TrainingError
from embedkit.training.config import TrainingConfig
from embedkit.training.engine import CpuEngine
from embedkit.training.loop import TrainingHooks
from embedkit.training.report import Progress
from embedkit.training.trainer import train
from embedkit.vectors.word_vectors import WordVectors

FRUIT = ["apple", "pear", "plum", "cherry", "quince"]
METAL = ["iron", "zinc", "tin", "lead", "nickel"]


def two_topics(sentences: int = 3_000) -> Iterator[list[str]]:
    random = np.random.default_rng(0)
    for number in range(sentences):
        topic = FRUIT if number % 2 else METAL
        yield [topic[i] for i in random.integers(0, 5, 8)]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.read(two_topics())


def small(**settings: object) -> TrainingConfig:
    defaults = {"dimension": 16, "epochs": 5, "sample": 0.0, "workers": 1}
    return TrainingConfig.of(**{**defaults, **settings})


def test_words_of_one_topic_end_up_together(corpus: Corpus) -> None:
    result = train(corpus, small())
    vectors = WordVectors(result.vocabulary, result.vectors)
    for topic in (FRUIT, METAL):
        for word in topic:
            near = {neighbor.word for neighbor in vectors.neighbors(word, 4)}
            assert near == set(topic) - {word}


def test_loss_falls_and_the_report_adds_up(corpus: Corpus) -> None:
    report = train(corpus, small()).report
    assert report.epoch_losses[-1] < report.epoch_losses[0]
    assert report.loss == report.epoch_losses[-1]
    assert report.tokens == len(corpus.tokens) == 24_000
    assert report.tokens_per_second == pytest.approx(24_000 * 5 / report.seconds)


@pytest.mark.parametrize(("kept", "min_count"), [(12, 2), (10, 2), (10, 1)])
def test_leaving_out_rare_words_while_reading_does_not_change_training(
    kept: int, min_count: int
) -> None:
    text = [[*sentence, f"rare{n}"] for n, sentence in enumerate(two_topics(300))]
    limited = Corpus.read(text, limits=CountingLimits(max_vocabulary=kept))
    assert limited.left_out.words == 310 - kept
    whole = train(Corpus.read(text), small(min_count=2))
    result = train(limited, small(min_count=min_count))
    assert [*result.vocabulary] == [*whole.vocabulary]
    np.testing.assert_array_equal(result.vectors, whole.vectors)


def test_untrained_vectors_have_the_loss_of_a_coin(corpus: Corpus) -> None:
    # Output vectors begin as zeros: every logit is 0 and every pair costs log 2.
    report = train(corpus, small(learning_rate=1e-6, epochs=1)).report
    assert report.loss == pytest.approx(np.log(2), rel=1e-4)


def test_pairs_are_counted(corpus: Corpus) -> None:
    report = train(corpus, small(window=1, negative=1, epochs=1)).report
    contexts = 3_000 * 14  # 8 words a sentence, the two at the ends with one neighbor
    assert contexts < report.pairs < 2 * contexts  # a negative equal to the word does not count


def test_one_worker_and_one_seed_give_the_same_bytes(corpus: Corpus) -> None:
    first, second = (train(corpus, small(seed=4)) for _ in range(2))
    assert first.vectors.tobytes() == second.vectors.tobytes()
    assert first.context.tobytes() == second.context.tobytes()
    other = train(corpus, small(seed=5))
    assert other.vectors.tobytes() != first.vectors.tobytes()


def test_two_workers_learn_as_well(corpus: Corpus) -> None:
    one, two = (train(corpus, small(workers=n)).report for n in (1, 2))
    assert two.pairs == one.pairs
    assert two.loss == pytest.approx(one.loss, rel=0.02)


def test_matrices_are_read_only(corpus: Corpus) -> None:
    result = train(corpus, small(epochs=1))
    assert not result.vectors.flags.writeable
    assert not result.context.flags.writeable


def test_progress_increases(tmp_path: Path) -> None:
    seen: list[Progress] = []
    text = Corpus.read(two_topics(30_000))
    train(text, small(dimension=100, epochs=10), TrainingHooks(seen.append))
    assert seen
    assert [p.tokens for p in seen] == sorted(p.tokens for p in seen)
    assert all(p.total_tokens == len(text.tokens) * 10 for p in seen)
    assert all(1 <= p.epoch <= p.epochs == 10 for p in seen)
    assert all(0 < p.learning_rate <= 0.05 for p in seen)


def test_too_few_frequent_words_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(
        CorpusError, match=r"0 of 10 distinct words .* min_count=100000.* Lower --min-count"
    ):
        train(corpus, small(min_count=100_000))


@pytest.mark.parametrize("dimension", [2, 64, 300])
@pytest.mark.parametrize("sample", [0.0, 1e-3])
def test_extreme_settings_stay_finite(dimension: int, sample: float) -> None:
    random = np.random.default_rng(1)
    words = np.array([f"w{n}" for n in range(300)])
    ids = (random.zipf(1.2, (200, 40)) - 1).clip(0, 299)
    text = Corpus.read([list(words[row]) for row in ids])
    extreme = small(
        dimension=dimension, window=60, negative=25, learning_rate=0.1, sample=sample, epochs=8,
        min_count=1,
    )  # fmt: skip
    result = train(text, extreme)
    assert np.isfinite(result.vectors).all()
    assert np.isfinite(result.context).all()
    assert np.abs(result.vectors).max() < 100
    assert result.report.epoch_losses[-1] < np.log(2)


WILD = [(15, 5, 0.05), (8, 5, 0.1), (15, 25, 0.1), (60, 5, 0.05)]


@pytest.mark.parametrize("words", [2, 3, 6, 20, 30])
@pytest.mark.parametrize(("window", "negative", "rate"), WILD)
def test_few_words_in_wide_windows_stay_finite(
    words: int, window: int, negative: int, rate: float
) -> None:
    """The same words stand in a window many times, and their steps add up."""
    random = np.random.default_rng(words)
    ids = (random.zipf(1.3, (400, 30)) - 1).clip(0, words - 1)
    text = Corpus.read([[f"w{n}" for n in row] for row in ids])
    settings = small(window=window, negative=negative, learning_rate=rate, epochs=8, min_count=1)
    result = train(text, settings)
    assert np.abs(result.vectors).max() < 100
    assert max(loss for loss in result.report.epoch_losses if loss is not None) < 5


def test_loss_that_is_not_finite_stops_training(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CpuEngine, "train", lambda *_: (1, float("nan")))
    with pytest.raises(TrainingError, match=r"no longer finite .* learning_rate=0\.05"):
        train(corpus, small())


def test_interrupt_ends_the_threads() -> None:
    text = Corpus.read(two_topics(30_000))

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(text, small(dimension=200, epochs=1000, workers=2), TrainingHooks(interrupt))
    assert not [t for t in threading.enumerate() if t.name.startswith("embedkit")]


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("lengths", [None, (3, 6), (1, 3)])
@pytest.mark.parametrize(
    ("words", "rate"),
    [([f"pre{n}fix" for n in range(300)], 0.1), ([f"aaaa{end}" for end in "abcdefg"], None)],
)
def test_a_small_vocabulary_and_the_widest_window_do_not_diverge(
    architecture: str, lengths: tuple[int, int] | None, words: list[str], rate: float | None
) -> None:
    """Words in random order: the best that can be learned is how frequent they are."""
    random = np.random.default_rng(1)
    text = [[words[n] for n in random.integers(len(words), size=80)] for _ in range(100)]
    shortest, longest = lengths or (None, None)
    config = small(
        window=60, architecture=architecture, epochs=5, min_count=1, learning_rate=rate,
        min_ngram=shortest, max_ngram=longest, buckets=lengths and 2_000_000,
    )  # fmt: skip
    assert train(Corpus.read(text), config).report.loss < np.log(2)
