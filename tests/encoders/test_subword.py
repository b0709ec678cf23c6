"""The subword encoder: unknown words, continuing, and what its vectors are made of."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedkit
from embedkit.corpus.corpus import Corpus
from embedkit.corpus.counting.limits import CountingLimits
from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.encoders import SkipGramEncoder, SubwordEncoder
from embedkit.encoders.base import NotFittedError
from embedkit.errors import ConfigurationError, TrainingError, UnknownWordError
from embedkit.training.config import TrainingConfig
from embedkit.training.report import EpochReport

STEMS = ("walk", "jump", "paint", "cook", "call", "push", "lift", "open")
ENDINGS = ("ing", "ed", "er", "s")
FORMS = {stem + ending for stem in STEMS for ending in ENDINGS}
SETTINGS: dict[str, Any] = {
    "dimension": 24, "min_count": 1, "sample": 0, "workers": 1, "epochs": 20, "seed": 3,
}  # fmt: skip


def sentences(skipped: str = "") -> list[list[str]]:
    """Return sentences of a made language: an ending decides which words stand beside a stem."""
    random = np.random.default_rng(5)
    found = []
    for _ in range(1_500):
        stem = STEMS[random.integers(len(STEMS))]
        ending = random.integers(len(ENDINGS))
        word = stem + ENDINGS[ending]
        if word != skipped:
            near = [f"{kind}{ending}{random.integers(3)}" for kind in ("before", "after")]
            found.append([near[0], word, near[1], f"of{stem[:2]}{random.integers(2)}"])
    return found


@pytest.fixture(scope="module")
def encoder() -> SubwordEncoder:
    return SubwordEncoder(**SETTINGS, min_ngram=3, max_ngram=5).fit(sentences("walking"))


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({}, (4, 6)),
        ({"architecture": "cbow"}, (3, 5)),
        ({"architecture": "cbow", "max_ngram": 7}, (3, 7)),
        ({"min_ngram": 2}, (2, 6)),
    ],
)
def test_the_default_lengths_of_n_grams_depend_on_the_architecture(
    given: dict[str, Any], lengths: tuple[int, int]
) -> None:
    assert SubwordEncoder(**given).config.ngrams == Ngrams(*lengths, 2_000_000)


def test_parameters_are_the_fields_of_the_config() -> None:
    parameters = inspect.signature(SubwordEncoder).parameters
    assert list(parameters) == [field.name for field in fields(TrainingConfig)]
    assert SubwordEncoder().get_params()["buckets"] == 2_000_000


def test_a_held_out_form_is_near_to_its_endings_and_its_stem(encoder: SubwordEncoder) -> None:
    """Of the 31 other forms, those with the same ending or stem are the right neighbors."""
    vectors = encoder.vectors()
    assert "walking" not in vectors
    near = [n.word for n in vectors.neighbors("walking", k=len(vectors)) if n.word in FORMS][:10]
    right = [word for word in near if word.endswith("ing") or word.startswith("walk")]
    assert len(right) >= 8, near
    assert sum(word.endswith("ing") for word in near) >= 5


def test_the_vector_of_an_unknown_word_is_the_mean_of_its_n_grams(encoder: SubwordEncoder) -> None:
    subwords = encoder.vectors().subwords
    _, buckets = subwords.ngrams.of(word_bytes(["walking"]))
    rows = dict(zip(subwords.ids.tolist(), subwords.rows, strict=True))
    zero = np.zeros(24, dtype=np.float32)
    expected = np.mean([rows.get(bucket, zero) for bucket in buckets.tolist()], axis=0)
    np.testing.assert_allclose(encoder.encode(["walking"])[0], expected, atol=1e-6)
    np.testing.assert_allclose(encoder.vectors()["walking"], expected, atol=1e-6)


def test_only_buckets_that_words_reach_are_stored(encoder: SubwordEncoder) -> None:
    subwords = encoder.vectors().subwords
    _, buckets = subwords.ngrams.of(word_bytes(encoder.vocabulary.words()))
    assert subwords.ids.tolist() == np.unique(buckets).tolist()
    assert len(subwords.rows) < 2_000


def test_a_word_without_a_known_n_gram_is_an_error(encoder: SubwordEncoder) -> None:
    for word in ("日本語", "", "qqqq"):
        with pytest.raises(UnknownWordError):
            encoder.encode([word])


def test_words_shorter_than_the_smallest_n_gram_have_their_own_row_alone() -> None:
    made = SubwordEncoder(**SETTINGS, min_ngram=6, max_ngram=6).fit([["a", "b", "longer"]] * 30)
    _, buckets = made.vectors().subwords.ngrams.of(word_bytes(["a"]))
    assert len(buckets) == 0
    assert made.encode(["a"]).any()
    with pytest.raises(UnknownWordError):
        made.encode(["c"])


def test_a_saved_model_composes_the_same_vectors(encoder: SubwordEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "m")
    opened = embedkit.load(tmp_path / "m")
    words = ["walking", "jumped", "paintings"]
    np.testing.assert_array_equal(opened.encode(words), encoder.encode(words))
    assert isinstance(opened.subwords.rows, np.memmap)
    assert opened.config["subwords"] == {"shortest": 3, "longest": 5, "buckets": 2_000_000}


def test_one_worker_gives_the_same_bytes_twice() -> None:
    first, second = (SubwordEncoder(**{**SETTINGS, "epochs": 1}).fit(sentences()) for _ in range(2))
    np.testing.assert_array_equal(first.vectors().matrix, second.vectors().matrix)
    np.testing.assert_array_equal(first.vectors().subwords.rows, second.vectors().subwords.rows)


@pytest.mark.parametrize("kind", [SkipGramEncoder, SubwordEncoder])
@pytest.mark.parametrize("weights", [False, True])
def test_cbow_learns_the_made_language(kind: Any, weights: bool) -> None:
    made = kind(**SETTINGS, architecture="cbow", position_weights=weights).fit(sentences())
    vectors = made.vectors()
    near = [n.word for n in vectors.neighbors("cooking", k=len(vectors)) if n.word in FORMS]
    right = [word for word in near[:6] if word.endswith("ing") or word.startswith("cook")]
    assert len(right) >= 5, near


class TestContinuing:
    def test_rows_of_the_old_model_are_the_start(self, encoder: SubwordEncoder) -> None:
        """With a learning rate of almost 0, the vectors of old words stay what they were."""
        slow = SubwordEncoder(
            **{**SETTINGS, "epochs": 1}, min_ngram=3, max_ngram=5, learning_rate=1e-6,
            minimum_learning_rate=0.0,
        )  # fmt: skip
        more = [["running", "walked", "unheard"]] * 20
        slow.fit(more, start=encoder)
        old, new = encoder.vectors(), slow.vectors()
        words = [*old]
        np.testing.assert_allclose(new.encode(words), old.encode(words), atol=2e-4)
        assert {"running", "unheard"} <= set(new)
        # N-grams that are in both carry over, and so does the word composed of them.
        found, before = new.encode(["walking"])[0], old.encode(["walking"])[0]
        assert found @ before > 0.99 * np.linalg.norm(found) * np.linalg.norm(before)

    def test_other_n_grams_are_an_error(self, encoder: SubwordEncoder) -> None:
        for other in (
            SubwordEncoder(**SETTINGS, min_ngram=4, max_ngram=5),
            SubwordEncoder(**SETTINGS, min_ngram=3, max_ngram=5, buckets=7),
            SkipGramEncoder(**SETTINGS),
        ):
            with pytest.raises(ConfigurationError, match="have n-grams of 3 to 5 in"):
                other.fit(sentences(), start=encoder)
        plain = SkipGramEncoder(**{**SETTINGS, "epochs": 1}).fit(sentences())
        with pytest.raises(ConfigurationError, match="to continue from have no n-grams"):
            SubwordEncoder(**SETTINGS).fit(sentences(), start=plain)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_ngram": 0}, "min_ngram must be an integer between 1 and 255"),
        (
            {"min_ngram": 5, "max_ngram": 4},
            "the shortest n-grams have 5 characters, more than the longest, 4",
        ),
        ({"buckets": 0}, "buckets must be an integer between 1 and"),
        ({"buckets": 2**31}, "buckets must be an integer between 1 and"),
        (
            {"architecture": "cbow", "min_ngram": 6},
            "the shortest n-grams have 6 characters, more than the longest, 5",
        ),
        ({"buckets": None}, "the encoder subword needs buckets"),
        ({"buckets": None, "min_ngram": 3}, "the encoder subword needs buckets"),
        ({"position_weights": "no", "architecture": "cbow"}, "must be True or False, not 'no'"),
        ({"position_weights": True}, "position weights need the architecture cbow"),
        ({"architecture": "glove"}, "unknown architecture 'glove'"),
    ],
)
def test_settings_out_of_range_are_errors(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        SubwordEncoder(**settings)
    assert message in str(raised.value)


def test_long_words_combining_marks_and_surrogates_are_trained() -> None:
    words = ["x" * 10_000, "e\u0301te\u0301", "🙂🙂", "日本語"]
    made = SubwordEncoder(**{**SETTINGS, "epochs": 2}, min_ngram=2, max_ngram=3).fit(
        Corpus.read(
            [words] * 20,
            tokenizer="whitespace",
            limits=CountingLimits(max_word_length=10_000),
        )
    )
    assert np.isfinite(made.vectors().matrix).all()
    assert made.encode(["日本", "x" * 9_999, "\ud800xx"]).any(axis=1).all()
    with pytest.raises(UnknownWordError):
        made.encode(["\ud800"])


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_an_epoch_callback_gets_composed_vectors(architecture: str, tmp_path: Path) -> None:
    seen: list[np.ndarray] = []
    made = SubwordEncoder(**{**SETTINGS, "epochs": 2}, architecture=architecture, min_ngram=3)

    def look(report: EpochReport) -> None:
        assert not report.vectors.flags.writeable
        seen.append(report.vectors.copy())

    made.fit(sentences(), on_epoch_end=look).save(tmp_path / "m")
    saved = embedkit.load(tmp_path / "m")
    np.testing.assert_array_equal(seen[-1], saved.matrix)
    assert not np.array_equal(seen[0], seen[1])
    # By the definition: the mean of the word's own row and the rows of its n-grams.
    words = word_bytes(saved.vocabulary.words())
    own = saved.subwords.own_rows(words, seen[-1])
    for word, row, vector in zip(words[:20], own, seen[-1], strict=False):
        buckets = saved.subwords.ngrams.of([word])[1]
        rows = [saved.subwords.rows[saved.subwords.ids == bucket][0] for bucket in buckets]
        np.testing.assert_allclose(np.mean([row, *rows], axis=0), vector, atol=1e-5)


def test_a_burst_of_similar_words_in_wide_windows_is_called_divergence() -> None:
    """The rows of their n-grams change in every step, far more often than in the rest."""
    random = np.random.default_rng(1)
    text = [["a" * n for n in random.integers(5, 200, size=200)] for _ in range(20)]
    text += [[f"{n}w{n}" for n in random.integers(1_000, size=200)] for _ in range(180)]
    settings: dict[str, Any] = {
        **SETTINGS, "dimension": 16, "epochs": 1, "architecture": "cbow", "min_ngram": 3,
    }  # fmt: skip
    assert SubwordEncoder(**settings).fit(text).report["loss"] < np.log(2)  # the remedy
    wild = SubwordEncoder(**settings, window=60, learning_rate=0.1)
    with pytest.raises(TrainingError, match=r"training diverged: .* window=60.*--learning-rate"):
        wild.fit(text)
    with pytest.raises(NotFittedError):
        wild.vectors()
