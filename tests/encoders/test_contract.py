"""What every encoder must do, checked once over all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone

import embedkit
from embedkit.corpus.corpus import Corpus
from embedkit.encoders import ENCODERS, Encoder, NotFittedError
from embedkit.errors import (
    ConfigurationError,
    CorpusError,
    ModelError,
    OutputExistsError,
    UnknownWordError,
)
from embedkit.vectors.word_vectors import WordVectors

SENTENCES = [["a", "cat", "sat"], ["a", "cat", "ran"], ["a", "dog", "ran"], ["a", "owl"]] * 5
COUNTS = [20, 10, 10, 5, 5, 5]
FREQUENCIES = {"a": 20, "cat": 10, "ran": 10, "sat": 5, "dog": 5, "owl": 5}
SETTINGS: dict[str, dict[str, Any]] = {
    "subword": {
        "min_count": 2,
        "dimension": 12,
        "sample": 0,
        "workers": 1,
        "seed": 9,
        "buckets": 90,
    },
    "charcode": {"min_count": 2, "truncate": True},
    "onehot": {"min_count": 2},
    "skipgram": {"min_count": 2, "dimension": 12, "sample": 0, "workers": 1, "seed": 9},
}
WITH_FIXED_VOCABULARY = [name for name in ENCODERS if name not in ("charcode", "subword")]


def make(name: str, **changes: Any) -> Encoder:
    return ENCODERS[name](**{**SETTINGS[name], **changes})  # type: ignore[call-arg]


def dense(rows: Any) -> np.ndarray:
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)


def settings_of(encoder: Encoder) -> dict[str, Any]:
    held = getattr(encoder, "config", encoder)
    return {setting: getattr(held, setting) for setting in SETTINGS[encoder.name]}


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def fitted(request: pytest.FixtureRequest) -> Encoder:
    return make(request.param).fit(SENTENCES)


@pytest.fixture(scope="module")
def vectors(fitted: Encoder) -> WordVectors:
    return fitted.vectors()


class TestFittedEncoder:
    def test_is_registered_by_its_name(self, fitted: Encoder) -> None:
        assert ENCODERS[fitted.name] is type(fitted)

    def test_vocabulary_is_ordered_by_frequency(self, fitted: Encoder) -> None:
        assert fitted.vocabulary.counts.tolist() == COUNTS
        assert dict(zip(fitted.vocabulary, COUNTS, strict=True)) == FREQUENCIES

    def test_vectors_are_float32_rows_in_the_order_asked(self, fitted: Encoder) -> None:
        words = ["dog", "a", "dog", "cat"]
        rows = fitted.encode(words)
        assert rows.shape == (4, fitted.dimension)
        assert rows.dtype == np.float32
        singly = [dense(fitted.encode([word]))[0] for word in words]
        np.testing.assert_array_equal(dense(rows), singly)
        assert len(np.unique(dense(rows), axis=0)) == 3

    def test_no_words_give_no_rows(self, fitted: Encoder) -> None:
        rows = fitted.encode([])
        assert rows.shape == (0, fitted.dimension)
        assert rows.dtype == np.float32

    def test_vectors_are_those_of_the_whole_vocabulary(
        self, fitted: Encoder, vectors: WordVectors
    ) -> None:
        assert vectors.vocabulary == fitted.vocabulary
        assert vectors.dimension == fitted.dimension
        encoded = fitted.encode(fitted.vocabulary.words())
        assert type(encoded) is type(vectors.matrix)
        np.testing.assert_array_equal(dense(vectors.matrix), dense(encoded), strict=True)

    def test_progress_is_optional(self, fitted: Encoder) -> None:
        again = make(fitted.name).fit(SENTENCES, progress=lambda _: None)
        assert again.vocabulary == fitted.vocabulary

    def test_learns_the_same_from_every_kind_of_source(
        self, fitted: Encoder, tmp_path: Path
    ) -> None:
        file = tmp_path / "corpus.txt"
        file.write_text("\n".join(" ".join(sentence) for sentence in SENTENCES))
        sources = [SENTENCES, iter(SENTENCES), Corpus.read(SENTENCES), file, str(file), [file]]
        for source in sources:
            encoder = make(fitted.name).fit(source)  # type: ignore[arg-type]
            assert encoder.vocabulary == fitted.vocabulary
            np.testing.assert_array_equal(
                dense(encoder.vectors().matrix), dense(fitted.vectors().matrix)
            )

    def test_second_fit_replaces_the_first(self, fitted: Encoder) -> None:
        encoder = make(fitted.name).fit([["other", "words"]] * 9).fit(SENTENCES)
        assert encoder.vocabulary == fitted.vocabulary
        np.testing.assert_array_equal(
            dense(encoder.vectors().matrix), dense(fitted.vectors().matrix)
        )

    def test_saved_encoder_can_be_loaded(self, fitted: Encoder, tmp_path: Path) -> None:
        fitted.save(tmp_path / "model")
        opened = [
            embedkit.load_encoder(tmp_path / "model"),
            type(fitted).load(str(tmp_path / "model")),
        ]
        for encoder in opened:
            assert type(encoder) is type(fitted)
            assert settings_of(encoder) == settings_of(fitted) == SETTINGS[fitted.name]
            assert encoder.dimension == fitted.dimension
            assert encoder.vocabulary == fitted.vocabulary
        words = ["owl", "a", "cat"]
        for found, expected in [
            (opened[0].encode(words), fitted.encode(words)),
            (embedkit.load(tmp_path / "model").matrix, fitted.vectors().matrix),
        ]:
            np.testing.assert_array_equal(dense(found), dense(expected), strict=True)

    def test_model_saved_twice_is_the_same(self, fitted: Encoder, tmp_path: Path) -> None:
        fitted.save(tmp_path / "first")
        embedkit.load_encoder(tmp_path / "first").save(tmp_path / "second")
        for file in (tmp_path / "first").iterdir():
            copy = tmp_path / "second" / file.name
            assert copy.read_bytes() == file.read_bytes(), file.name

    def test_existing_model_is_kept_unless_overwritten(
        self, fitted: Encoder, tmp_path: Path
    ) -> None:
        fitted.save(tmp_path / "model")
        other = make(fitted.name).fit([["new", "words"]] * 9)
        with pytest.raises(OutputExistsError, match="overwrite"):
            other.save(tmp_path / "model")
        assert embedkit.load(tmp_path / "model").vocabulary == fitted.vocabulary
        other.save(tmp_path / "model", overwrite=True)
        assert sorted(embedkit.load(tmp_path / "model").vocabulary) == ["new", "words"]

    def test_model_of_another_encoder_is_rejected(self, fitted: Encoder, tmp_path: Path) -> None:
        fitted.save(tmp_path / "model")
        for name in sorted(ENCODERS.keys() - {fitted.name}):
            with pytest.raises(ModelError):
                ENCODERS[name].load(tmp_path / "model")

    @pytest.mark.parametrize("metric", ["cosine", "l2", "dot"])
    def test_questions_are_answered(self, vectors: WordVectors, metric: str) -> None:
        answers = [
            (vectors.neighbors("cat", metric=metric), {"cat"}),
            (vectors.query("cat - dog + 2 owl", metric=metric), {"cat", "dog", "owl"}),
            (vectors.analogy("cat", "dog", "owl", metric=metric), {"cat", "dog", "owl"}),
        ]
        for found, asked in answers:
            assert {word for word, _ in found} == set(FREQUENCIES) - asked
            assert np.isfinite([score for _, score in found]).all()

    def test_distances_match_scipy(self, vectors: WordVectors) -> None:
        words = list(FREQUENCIES)
        wide = dense(vectors.encode(words)).astype(np.float64)
        table = vectors.distance(words)
        np.testing.assert_allclose(table, cdist(wide, wide), atol=1e-12)
        for row, word in enumerate(words):
            for near, distance in vectors.neighbors(word, metric="l2"):
                expected = table[row, words.index(near)]
                assert distance == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ENCODERS)
class TestEncoder:
    def test_parameters_can_be_read_and_are_shown(self, name: str) -> None:
        encoder = make(name)
        parameters = encoder.get_params()
        assert {setting: parameters[setting] for setting in SETTINGS[name]} == SETTINGS[name]
        kind = ENCODERS[name]
        assert eval(repr(encoder), {kind.__name__: kind}).get_params() == parameters
        assert repr(kind()) == f"{kind.__name__}()"
        with pytest.raises(TypeError, match="positional argument"):
            ENCODERS[name](3)  # type: ignore[call-arg]

    def test_scikit_learn_clones_keep_settings_and_what_was_learned(self, name: str) -> None:
        encoder = make(name)
        copied = clone(encoder)
        assert copied is not encoder
        assert copied.get_params() == encoder.get_params()
        with pytest.raises(NotFittedError):
            copied.vectors()
        fitted = clone(encoder.fit(SENTENCES))
        assert fitted.vocabulary == encoder.vocabulary
        copied.fit([["other", "words"]] * 9)
        assert fitted.vocabulary == encoder.vocabulary

    def test_words_may_come_from_any_iterable(self, name: str) -> None:
        encoder = make(name).fit(SENTENCES)
        words = ["cat", "a"]
        found = encoder.encode(word for word in words)
        np.testing.assert_array_equal(dense(found), dense(encoder.encode(words)))
        with pytest.raises(ConfigurationError, match="expected a list of words"):
            encoder.encode("cat")

    def test_use_before_fit_is_an_error(self, name: str, tmp_path: Path) -> None:
        encoder = make(name)
        for use in (
            lambda: encoder.vocabulary,
            lambda: encoder.encode(["cat"]),
            lambda: encoder.encode([]),
            encoder.vectors,
            lambda: encoder.save(tmp_path / "model"),
        ):
            with pytest.raises(NotFittedError, match=r"is not fitted\. Call fit\(corpus\)"):
                use()
        assert not any(tmp_path.iterdir())

    def test_rare_words_are_left_out(self, name: str) -> None:
        assert make(name, min_count=6).fit(SENTENCES).vocabulary.counts.tolist() == [20, 10, 10]

    def test_too_high_min_count_is_an_error(self, name: str) -> None:
        with pytest.raises(CorpusError, match=r"min_count=21 .*occurs 20 times.*Lower --min-count"):
            make(name, min_count=21).fit(SENTENCES)

    def test_failed_fit_leaves_no_half_fitted_encoder(self, name: str) -> None:
        encoder = make(name, min_count=21)
        with pytest.raises(CorpusError):
            encoder.fit(SENTENCES)
        with pytest.raises(NotFittedError):
            encoder.vectors()

    @pytest.mark.parametrize("source", [[], [[]], "no/such/file"], ids=repr)
    def test_text_without_words_is_an_error(self, name: str, source: Any) -> None:
        with pytest.raises(CorpusError):
            make(name).fit(source)


@pytest.mark.parametrize("name", WITH_FIXED_VOCABULARY)
@pytest.mark.parametrize("known", [1, 300])
def test_unknown_word_is_an_error(name: str, known: int) -> None:
    encoder = make(name).fit(SENTENCES)
    with pytest.raises(UnknownWordError, match=r"'catt' .* Did you mean cat") as raised:
        encoder.encode(["a"] * known + ["catt"])
    assert raised.value.word == "catt"


def test_character_codes_encode_unknown_words() -> None:
    encoder = make("charcode").fit(SENTENCES)
    assert "tac" not in encoder.vocabulary
    assert encoder.encode(["tac"]).tolist() == [[ord("t"), ord("a"), ord("c")]]
