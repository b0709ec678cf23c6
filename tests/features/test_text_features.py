"""Each pooling compared with its formula, written out word by word, and with scikit-learn."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from embedkit.encoders import CharCodeEncoder, OneHotEncoder
from embedkit.features import TextFeatures
from embedkit.vectors.word_vectors import WordVectors

SIF_A = 0.01
TEXTS = [
    "Where is the president?",
    "Who is the president, the president?",
    "Where are the bananas",
    "a rare café",
    "bananas, BANANAS, bananas!",
    "the a the a the",
]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def known_rows(vectors: WordVectors, text: str) -> np.ndarray:
    return np.array([vectors[word] for word in words_of(text) if word in vectors], dtype=float)


def by_hand(vectors: WordVectors, one: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.array([one(known_rows(vectors, text)) for text in TEXTS])


@pytest.mark.parametrize("pooling", ["mean", "max", "sum"])
def test_simple_poolings_agree_with_numpy(pooling: str, vectors: WordVectors) -> None:
    ours = TextFeatures(vectors, pooling=pooling).fit_transform(TEXTS)
    assert ours.dtype == np.float32
    wanted = by_hand(vectors, lambda rows: getattr(np, pooling)(rows, axis=0))
    np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-6)


def test_tfidf_is_the_mean_weighted_as_in_scikit_learn(vectors: WordVectors) -> None:
    new = [
        "where is the new café",
        "rare bananas",
    ]  # words that are old and new to fit
    theirs = TfidfVectorizer(
        vocabulary=vectors.vocabulary.words(), token_pattern=r"\w+", norm="l1"
    ).fit(TEXTS)
    ours = TextFeatures(vectors, pooling="tfidf").fit(TEXTS)
    np.testing.assert_allclose(ours.idf_, theirs.idf_, rtol=1e-12)
    for texts in (TEXTS, new):
        wanted = theirs.transform(texts) @ np.asarray(vectors.matrix)
        np.testing.assert_allclose(ours.transform(texts), wanted, rtol=1e-5, atol=1e-6)


def test_sif_follows_arora_liang_and_ma(vectors: WordVectors) -> None:
    """Algorithm 1 of the paper, one word at a time, with NumPy's SVD."""
    counts = dict(zip(vectors.vocabulary, vectors.vocabulary.counts, strict=True))
    total = sum(counts.values())

    def weighted(text: str) -> np.ndarray:
        words = [word for word in words_of(text) if word in counts]
        rows = [SIF_A / (SIF_A + counts[word] / total) * vectors[word] for word in words]
        return np.sum(rows, axis=0, dtype=float) / len(words)

    table = np.array([weighted(text) for text in TEXTS])
    first = np.linalg.svd(table, full_matrices=False)[2][0]
    ours = TextFeatures(vectors, pooling="sif", sif_a=SIF_A).fit(TEXTS)
    assert abs(ours.component_ @ first) == pytest.approx(1, abs=1e-6)
    wanted = table - np.outer(table @ first, first)
    np.testing.assert_allclose(ours.transform(TEXTS), wanted, atol=1e-6)
    # Other texts lose the direction of the texts that were passed to fit.
    other = weighted("who is rare")
    wanted = other - first * (first @ other)
    np.testing.assert_allclose(ours.transform(["Who is rare?"])[0], wanted, atol=1e-6)


def test_sif_without_any_known_word_gives_zeros(vectors: WordVectors) -> None:
    with pytest.warns(UserWarning, match="1 of 1 text has"):
        features = TextFeatures(vectors, pooling="sif").fit_transform(["qwerty"])
    assert features.tolist() == [[0.0] * vectors.dimension]


def test_one_hot_sums_agree_with_count_vectorizer() -> None:
    encoder = OneHotEncoder().fit([words_of(text) for text in TEXTS])
    words = encoder.vocabulary.words()
    theirs = CountVectorizer(vocabulary=words, token_pattern=r"\w+")
    features = TextFeatures(encoder, pooling="sum")
    ours = features.fit_transform(TEXTS)
    assert sparse.issparse(ours)
    assert ours.format == "csr"
    assert (ours != theirs.fit_transform(TEXTS)).nnz == 0
    assert features.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


def test_one_hot_maxima_agree_with_binary_count_vectorizer() -> None:
    encoder = OneHotEncoder().fit([words_of(text) for text in TEXTS])
    theirs = CountVectorizer(
        vocabulary=encoder.vocabulary.words(), token_pattern=r"\w+", binary=True
    ).fit_transform([*TEXTS, ""])
    with pytest.warns(UserWarning, match="1 of 7 texts"):
        ours = TextFeatures(encoder, pooling="max").fit_transform([*TEXTS, ""])
    assert (ours != theirs).nnz == 0


def test_one_hot_tfidf_agrees_with_tfidf_vectorizer() -> None:
    encoder = OneHotEncoder().fit([words_of(text) for text in TEXTS])
    theirs = TfidfVectorizer(vocabulary=encoder.vocabulary.words(), token_pattern=r"\w+", norm="l1")
    ours = TextFeatures(encoder, pooling="tfidf").fit_transform(TEXTS)
    assert sparse.issparse(ours)
    np.testing.assert_allclose(
        ours.toarray(), theirs.fit_transform(TEXTS).toarray(), rtol=1e-5, atol=1e-7
    )


def test_character_codes_are_pooled_like_other_vectors() -> None:
    encoder = CharCodeEncoder().fit([["cat", "bat"]])
    features = TextFeatures(encoder).fit_transform(["cat bat bat"])
    assert features.tolist() == [[np.float32((99 + 98 + 98) / 3), 97, 116]]


def test_texts_of_several_blocks_are_pooled_like_one_block(vectors: WordVectors) -> None:
    """A few million characters, so that the texts span several blocks."""
    texts = [TEXTS[number % len(TEXTS)] for number in range(150_000)]
    for pooling in ("mean", "max"):
        features = TextFeatures(vectors, pooling=pooling).fit(texts)
        few = features.transform(TEXTS)
        many = features.transform(texts)
        assert np.array_equal(many, few[np.arange(len(texts)) % len(TEXTS)])
