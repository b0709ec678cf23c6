"""Words outside the vocabulary of vectors with n-grams, in features and text classifiers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from embedkit.classification import TextClassifier
from embedkit.classification.network_classifier import NetworkClassifier
from embedkit.errors import UnknownWordError, UnknownWordsWarning
from embedkit.features import TextFeatures, WordFeatures
from embedkit.heads.terms import TermBags
from tests.subwords import ALIEN, composed, subword_vectors

VECTORS = subword_vectors()
TEXTS = ["walk talks", f"happyish {ALIEN}", "Talking"]
EXPECTED = [(VECTORS["walk"] + composed("talks")) / 2, composed("happyish"), composed("talking")]
LABELS = ["a", "b"] * 6
EXAMPLES = ["walk talks", "sings happy"] * 6


def test_texts_have_the_mean_of_known_and_composed_words() -> None:
    for oov in (None, "subwords"):
        features = TextFeatures(VECTORS, oov=oov).fit_transform(TEXTS)
        np.testing.assert_allclose(features, EXPECTED, atol=1e-6)
    skipped = TextFeatures(VECTORS, oov="skip")
    with pytest.warns(UnknownWordsWarning, match="2 of 3 texts have no known word"):
        np.testing.assert_allclose(skipped.fit_transform(TEXTS)[0], VECTORS["walk"], atol=1e-6)


def test_zeros_and_errors_are_for_words_that_cannot_be_composed() -> None:
    features = TextFeatures(VECTORS, oov="zero").fit_transform(TEXTS)
    np.testing.assert_allclose(features[1], composed("happyish") / 2, atol=1e-6)
    np.testing.assert_allclose(features[[0, 2]], [EXPECTED[0], EXPECTED[2]], atol=1e-6)
    fitted = TextFeatures(VECTORS, oov="error").fit(TEXTS)
    np.testing.assert_allclose(fitted.transform(TEXTS[:1]), EXPECTED[:1], atol=1e-6)
    with pytest.raises(UnknownWordError, match=f"row 1 .*'{ALIEN}' .* none of its character n-"):
        fitted.transform(TEXTS)


def test_columns_of_words_are_composed_and_the_others_counted() -> None:
    words = ["walk", "talks", ALIEN]
    for oov in ("zero", "subwords"):
        with pytest.warns(UnknownWordsWarning, match=r"1 of 3 words has no vector.*row 2"):
            found = WordFeatures(VECTORS, oov=oov).fit_transform(words)
        expected = [VECTORS["walk"], composed("talks"), np.zeros(VECTORS.dimension)]
        np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(UnknownWordError, match=f"row 2 .*'{ALIEN}'"):
        WordFeatures(VECTORS, oov="error").fit_transform(words)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not WordFeatures(VECTORS, oov="skip").fit_transform(words)[1:].any()


def test_frequencies_of_composed_words_are_0() -> None:
    features = TextFeatures(VECTORS, "tfidf").fit(["walk", "walk talks"])
    known, other = np.log(3 / 3) + 1, np.log(3 / 1) + 1
    expected = (known * VECTORS["walk"] + other * composed("talks")) / (known + other)
    np.testing.assert_allclose(features.transform(["walk talks"])[0], expected, atol=1e-6)


def test_new_terms_begin_with_composed_vectors() -> None:
    terms, initial = TermBags.of(["walk talks", ALIEN], VECTORS, 2, "words")
    names = terms.vocabulary.words()[len(VECTORS) :]
    assert names == ["talks", "  walk", " walk talks", ALIEN, f"  {ALIEN}"]
    np.testing.assert_allclose(initial[len(VECTORS)], composed("talks"), atol=1e-6)
    assert not initial[len(VECTORS) + 1 :].any()
    bags, others = terms.composed_bags(["walk sings", ALIEN, "sings sings"])
    assert bags.shape == (3, len(terms.vocabulary) + 1)
    np.testing.assert_allclose(others, [composed("sings")], atol=1e-6)
    assert bags.toarray()[:, -1].tolist() == [pytest.approx(1 / 3), 0, 1]


@pytest.mark.parametrize("pooling", [None, "mean", "tfidf"])
def test_saved_classifiers_compose_unknown_words(pooling: str | None, tmp_path: Path) -> None:
    settings = {} if pooling else {"ngrams": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnknownWordsWarning)  # all words have a vector
        trained = TextClassifier.train(
            EXAMPLES,
            LABELS,
            VECTORS,
            head="network",
            pooling=pooling,
            hidden=(),
            epochs=20,
            **settings,
        )
        asked = ["talking walks", "singish", "happily", f"{ALIEN} talking"]
        expected = trained.predict_proba(asked)
    trained.save(tmp_path / "c")
    loaded = TextClassifier.load(tmp_path / "c")
    np.testing.assert_allclose(loaded.predict_proba(asked), expected, atol=1e-6)
    assert len(np.unique(expected.round(6), axis=0)) == len(asked)
    with pytest.warns(UnknownWordsWarning, match="1 of 1 text has no known word"):
        loaded.predict([ALIEN])


def test_a_linear_classifier_composes_unknown_words(tmp_path: Path) -> None:
    trained = TextClassifier.train(EXAMPLES, LABELS, VECTORS)
    trained.save(tmp_path / "c")
    loaded = TextClassifier.load(tmp_path / "c")
    asked = ["talking walks", "singish", "happily"]
    np.testing.assert_allclose(loaded.predict_proba(asked), trained.predict_proba(asked), atol=1e-6)
    explained = loaded.linear.model.explain(["singish", ALIEN])
    assert explained.new_words == ["singish", ALIEN]
    assert explained.has_vector.tolist() == [True, False]


def test_a_finetuned_network_adds_composed_vectors(tmp_path: Path) -> None:
    trained = TextClassifier.train(
        EXAMPLES, LABELS, VECTORS, head="network", hidden=(), epochs=5, ngrams=1
    )
    trained.save(tmp_path / "c")
    head = TextClassifier.load(tmp_path / "c").head
    assert isinstance(head, NetworkClassifier)
    network = head.head.network_
    assert network.embeddings is not None
    tuned = network.embeddings[VECTORS.vocabulary.find("walk")]
    inputs = (tuned + composed("happyish")) / 2
    score = (inputs @ network.weights[0] + network.biases[0]).item()  # of the second label
    found = trained.predict_proba(["walk happyish"])[0, 1]
    assert found == pytest.approx(1 / (1 + np.exp(-score)), abs=1e-5)
