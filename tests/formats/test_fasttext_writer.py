"""fastText's files as embedkit writes them, opened by fastText and by gensim."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_model

import embedkit
from embedkit.corpus.ngrams import Ngrams, word_bytes
from embedkit.encoders import SkipGramEncoder, SubwordEncoder
from embedkit.encoders.trained import TrainedEncoder
from embedkit.errors import FormatError, MissingMatrixWarning
from embedkit.formats import convert, detect, read, read_model, write
from embedkit.vectors.postprocess import Steps, postprocess
from embedkit.vectors.subwords import Subwords
from embedkit.vectors.word_vectors import WordVectors

WORDS = ["king", "naïve", "日本", "straße", "cat", "cats", "a", "kingdom", "kings", "über"]
UNKNOWN = ["kingly", "日本語", "catalog", "zz", "überall"]
KINDS = ["subword", "subword cbow", "skipgram", "cbow"]
SETTINGS: dict[str, Any] = {
    "dimension": 8, "window": 3, "negative": 7, "epochs": 2, "min_count": 1, "sample": 1e-2,
    "workers": 1,
}  # fmt: skip


def trained(kind: str) -> TrainedEncoder:
    random = np.random.default_rng(0)
    text = [random.choice(WORDS, 12).tolist() for _ in range(100)]
    settings = {**SETTINGS, "architecture": "cbow" if "cbow" in kind else "skipgram"}
    if kind.startswith("subword"):
        settings |= {"min_ngram": 2, "max_ngram": 4, "buckets": 40_000}
        return SubwordEncoder(**settings).fit(text)
    return SkipGramEncoder(**settings).fit(text)


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest) -> tuple[str, TrainedEncoder]:
    return request.param, trained(request.param)


def test_fasttext_opens_it(model: tuple[str, TrainedEncoder], tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    kind, encoder = model
    encoder.save(tmp_path / "model")
    report = convert(tmp_path / "model", tmp_path / "x.bin", target_format="fasttext")
    assert (report.words, report.bytes) == (len(WORDS), (tmp_path / "x.bin").stat().st_size)
    theirs, ours = fasttext.load_model(str(tmp_path / "x.bin")), encoder.vectors()
    assert theirs.get_words() == [*ours.vocabulary]
    for word in ours.vocabulary:
        np.testing.assert_allclose(theirs.get_word_vector(word), ours[word], atol=1e-6)
        found = theirs.get_nearest_neighbors(word, k=4)
        expected = ours.neighbors(word, 4)
        assert [near for _, near in found] == [near.word for near in expected]
        np.testing.assert_allclose([s for s, _ in found], [n.score for n in expected], atol=1e-5)
    np.testing.assert_array_equal(theirs.get_output_matrix(), ours.context)
    if not kind.startswith("subword"):
        assert theirs.get_input_matrix().shape == ours.shape
        return
    assert theirs.get_input_matrix().shape == (len(WORDS) + 40_000, 8)
    for word, vector in zip(UNKNOWN, ours.subwords.encode(UNKNOWN), strict=True):
        np.testing.assert_allclose(theirs.get_word_vector(word), vector, atol=1e-6)
    again = embedkit.load(tmp_path / "x.bin")
    for word in (*UNKNOWN, *(name.title() for name in (*WORDS, *UNKNOWN))):
        vector = theirs.get_word_vector(word)
        found = again.get(word, np.zeros(8))
        np.testing.assert_allclose(found, vector, atol=1e-6, err_msg=word)


def test_centered_n_grams_compose_the_same_vectors(tmp_path: Path) -> None:
    """Centering adds an offset to composed vectors; in fastText's file, each row contains it."""
    fasttext = pytest.importorskip("fasttext", reason="fastText is not installed")
    ours = postprocess(trained("subword").vectors(), Steps(remove_top=1))
    assert ours.subwords.offset.any()
    with pytest.warns(MissingMatrixWarning):
        write(ours, tmp_path / "x.bin", format="fasttext")
    theirs = fasttext.load_model(str(tmp_path / "x.bin"))
    for word in ours.vocabulary:
        np.testing.assert_allclose(theirs.get_word_vector(word), ours[word], atol=1e-6)
    for word in UNKNOWN:
        vector = ours.subwords.encode([word])[0]
        if vector.any():
            np.testing.assert_allclose(theirs.get_word_vector(word), vector, atol=1e-6)


def test_gensim_opens_it(model: tuple[str, TrainedEncoder], tmp_path: Path) -> None:
    kind, encoder = model
    ours = encoder.vectors()
    write(ours, tmp_path / "x.bin", format="fasttext")
    theirs = load_facebook_model(str(tmp_path / "x.bin"))
    found = {"window": theirs.window, "negative": theirs.negative, "epochs": theirs.epochs,
             "min_count": theirs.min_count, "sample": theirs.sample}  # fmt: skip
    assert found == {name: SETTINGS[name] for name in found}
    assert theirs.sg == ("cbow" not in kind)
    for row, word in enumerate(ours.vocabulary):
        np.testing.assert_allclose(theirs.wv[word], ours[word], atol=1e-6)
        assert theirs.wv.get_vecattr(word, "count") == ours.vocabulary.counts[row]
    np.testing.assert_array_equal(theirs.syn1neg, ours.context)
    if kind.startswith("subword"):
        assert (theirs.wv.min_n, theirs.wv.max_n, theirs.wv.bucket) == (2, 4, 40_000)
        for word, vector in zip(UNKNOWN, ours.subwords.encode(UNKNOWN), strict=True):
            np.testing.assert_allclose(theirs.wv[word], vector, atol=1e-6)


def test_embedkit_reads_it_back(model: tuple[str, TrainedEncoder], tmp_path: Path) -> None:
    kind, encoder = model
    ours = encoder.vectors()
    write(ours, tmp_path / "x.bin", format="fasttext")
    assert detect(tmp_path / "x.bin") == "fasttext"
    back = read(tmp_path / "x.bin")
    assert [*back.vocabulary] == [*ours.vocabulary]
    assert back.vocabulary.counts.tolist() == ours.vocabulary.counts.tolist()
    np.testing.assert_allclose(back.matrix, ours.matrix, atol=1e-6)
    if not kind.startswith("subword"):
        assert back.subwords is None
        return
    np.testing.assert_array_equal(back.subwords.ids, ours.subwords.ids)
    np.testing.assert_array_equal(back.subwords.rows, ours.subwords.rows)
    words = word_bytes([*ours.vocabulary])
    own = [vectors.subwords.own_rows(words, vectors.matrix) for vectors in (back, ours)]
    np.testing.assert_allclose(*own, atol=1e-5)


def test_a_copy_of_a_file_keeps_both_matrices_and_the_settings(
    model: tuple[str, TrainedEncoder], tmp_path: Path
) -> None:
    write(model[1].vectors(), tmp_path / "x.bin", format="fasttext")
    convert(tmp_path / "x.bin", tmp_path / "y.bin.gz", target_format="fasttext")
    first, second = (read_model(tmp_path / name) for name in ("x.bin", "y.bin.gz"))
    assert first.settings == second.settings
    np.testing.assert_allclose(first.vectors.matrix, second.vectors.matrix, atol=1e-6)
    np.testing.assert_allclose(first.own, second.own, atol=1e-5)
    np.testing.assert_array_equal(second.vectors.context, model[1].context)


def test_vectors_of_unknown_origin_have_zeros_as_output_matrix(tmp_path: Path) -> None:
    vectors = WordVectors(["new york", "b"], np.eye(2, 3))
    with pytest.warns(MissingMatrixWarning, match="training cannot continue from it"):
        write(vectors, tmp_path / "x.bin", format="fasttext")
    theirs = load_facebook_model(str(tmp_path / "x.bin"))
    assert theirs.wv["new york"].tolist() == [1, 0, 0]
    assert not theirs.syn1neg.any()


def test_n_grams_that_are_all_zero_still_count(tmp_path: Path) -> None:
    rows = np.zeros((9, 2), dtype=np.float32)
    vectors = WordVectors(
        ["ab", "c"], np.eye(2), subwords=Subwords(rows, Ngrams(2, 3, 9)), context=rows[:2] + 1
    )
    write(vectors, tmp_path / "x.bin", format="fasttext")
    back = read(tmp_path / "x.bin")
    assert back.matrix.tolist() == [[1, 0], [0, 1]]
    assert back.subwords.encode(["ab"]).tolist() == [[0, 0]]
    assert load_facebook_model(str(tmp_path / "x.bin")).wv["ab"].tolist() == [1, 0]


def test_a_word_that_is_too_long_for_the_file_cannot_be_written(tmp_path: Path) -> None:
    longest = "a" * 65_535
    vectors = WordVectors([longest, "c"], np.eye(2), context=np.eye(2, dtype=np.float32))
    write(vectors, tmp_path / "x.bin", format="fasttext")
    assert [*read(tmp_path / "x.bin").vocabulary] == [longest, "c"]
    vectors = WordVectors(["c", "é" * 32_768], np.eye(2), context=np.eye(2, dtype=np.float32))
    with pytest.raises(FormatError, match="word 2 has 65,536 bytes"):
        write(vectors, tmp_path / "y.bin", format="fasttext")
    assert not (tmp_path / "y.bin").exists()


def test_a_word_with_nul_cannot_be_written(tmp_path: Path) -> None:
    vectors = WordVectors(["a\0b", "c"], np.eye(2), context=2 * np.eye(2, dtype=np.float32))
    with pytest.raises(FormatError, match=r"word 1: 'a\\x00b' contains a character"):
        write(vectors, tmp_path / "x.bin", format="fasttext")
    write(vectors, tmp_path / "x.bin", format="fasttext", errors="skip")
    theirs = load_facebook_model(str(tmp_path / "x.bin"))
    assert theirs.wv["c"].tolist() == [0, 1]
    assert theirs.syn1neg.tolist() == [[0, 2]]


def test_pruned_n_grams_cannot_be_written(tmp_path: Path) -> None:
    subwords = Subwords(
        np.ones((1, 2), dtype=np.float32), Ngrams(3, 4, 9), np.array([4], dtype=np.int32), True
    )
    vectors = WordVectors(["a", "b"], np.eye(2), subwords=subwords)
    with pytest.raises(FormatError, match="were pruned") as raised:
        write(vectors, tmp_path / "x.bin", format="fasttext")
    assert raised.value.hint
    assert not (tmp_path / "x.bin").exists()
