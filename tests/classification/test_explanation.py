"""Explanations add up to what the classifier predicts, and are what their definitions say."""

from __future__ import annotations

import math
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

import embedkit
from embedkit.classification.contributions import token_spans
from embedkit.classification.explanation import explain, explain_texts
from embedkit.classification.explanation_page import render_explanations
from embedkit.classification.text_classifier import TextClassifier
from embedkit.corpus.tokenizers import TOKENIZERS, tokenize
from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError
from embedkit.features.options import POOLINGS
from embedkit.heads.gradients import TOLERANCE
from tests.service.page.browser import find_chromium

TEXTS = ["mayor0 paris, france0", "border1 france", "mayor1 rome", "spain: border0 madrid"] * 5
LABELS = ["capital", "country", "capital", "other"] * 5
ASKED = ["Where is Paris? Paris, mayor0 of paris!", "border1 madrid", "mayor1 xyzzy rome", ""]
NETWORK: dict[str, Any] = {"head": "network", "hidden": (6, 5), "epochs": 10, "dropout": 0}


def log_odds(classifier: TextClassifier, text: str, label: str, against: str) -> float:
    row = classifier.predict_proba([text])[0].astype(np.float64)
    names = classifier.labels.tolist()
    return math.log(row[names.index(label)] / row[names.index(against)])


@pytest.fixture(scope="module")
def linear(model: Path) -> TextClassifier:
    return TextClassifier.train(TEXTS, LABELS, str(model), ngrams=3, C=3.0)


@pytest.mark.filterwarnings("ignore::embedkit.errors.UnknownWordsWarning")
def test_a_linear_classifier_is_explained_exactly(linear: TextClassifier) -> None:
    for text, found in zip(ASKED, explain_texts(linear, ASKED), strict=True):
        assert found.method == "exact"
        assert found.label == linear.predict([text])[0]
        assert found.bias + found.of_words + found.of_ngrams == pytest.approx(found.total, rel=1e-9)
        expected = log_odds(linear, text, found.label, found.against)
        assert found.total == pytest.approx(expected, rel=1e-4, abs=1e-5)
        runner_up = linear.labels[np.argsort(linear.predict_proba([text])[0])[-2]]
        assert found.against == runner_up


@pytest.fixture(scope="module")
def words_only(model: Path) -> TextClassifier:
    """A classifier without n-grams: a text of one word has the weight 1 for it."""
    return TextClassifier.train(TEXTS, LABELS, str(model), ngrams=1, C=3.0)


def single_score(classifier: TextClassifier, word: str) -> float:
    """Return what a word alone adds to the log-odds of capital and country, by prediction only."""
    with_word, without = (log_odds(classifier, text, "capital", "country") for text in (word, ""))
    return with_word - without


@pytest.mark.filterwarnings("ignore::embedkit.errors.UnknownWordsWarning")
def test_a_word_adds_its_weight_in_scikit_learn_times_its_score(words_only: TextClassifier) -> None:
    text = "paris mayor0 mayor0 rome"
    found = explain(words_only, text, label="capital", against="country")
    vectorizer = TfidfVectorizer(
        tokenizer=lambda text: tokenize(text, "words+punctuation"), token_pattern=None,
        sublinear_tf=True,
    ).fit(TEXTS)  # fmt: skip
    weights = vectorizer.transform([text]).toarray()[0]
    expected = {
        word: weights[column] * single_score(words_only, word)
        for word, column in vectorizer.vocabulary_.items()
        if weights[column]
    }
    assert [word.term for word in found.words] == text.split()
    paris, first, second, rome = (word.value for word in found.words)
    assert {"paris": paris, "mayor0": first + second, "rome": rome} == pytest.approx(
        expected, rel=1e-4
    )
    assert first == second


@pytest.mark.filterwarnings("ignore::embedkit.errors.UnknownWordsWarning")
def test_the_parts_of_a_word_are_what_it_loses_with_its_vector_and_identity(
    words_only: TextClassifier,
) -> None:
    head = words_only.linear
    vectors, terms = head.model.vectors, head.model.terms
    assert vectors is not None
    matrix = np.array(vectors.matrix)
    matrix[[vectors.vocabulary.id(word) for word in ("mayor0", "berlin")]] = 0
    blind = embedkit.WordVectors(vectors.vocabulary, matrix)
    renamed = ["(renamed)" if word == "mayor0" else word for word in terms.words.words()]
    new = replace(terms, words=Vocabulary(renamed, terms.words.counts))

    def changed(**parts: Any) -> TextClassifier:
        return TextClassifier(replace(head, model=replace(head.model, **parts)))

    for word in ("mayor0", "berlin", "mayors"):
        (found,) = explain(words_only, word, label="capital", against="country").words
        assert found.parts is not None
        whole = single_score(words_only, word)
        as_new = single_score(changed(terms=new), word)
        letters = single_score(changed(terms=new, vectors=blind), word)
        assert found.value == pytest.approx(whole, abs=1e-5)
        assert found.parts.own == pytest.approx(whole - as_new, abs=1e-5)
        assert found.parts.vector == pytest.approx(as_new - letters, abs=1e-5)
        assert found.parts.letters == pytest.approx(letters, abs=1e-5)
        assert (abs(found.parts.own) > 0.01) == (word == "mayor0")  # only training texts have it
        assert (abs(found.parts.vector) > 1e-4) == (word != "mayors") == found.known


def test_an_ngram_of_a_long_text_has_many_places(linear: TextClassifier) -> None:
    found = explain(linear, "border1 france " * 100_000)
    (places,) = (ngram.places for ngram in found.ngrams if ngram.term == "border1 france")
    assert places == tuple(range(0, 200_000, 2))


@pytest.mark.parametrize("pooling", [None, *POOLINGS])
@pytest.mark.parametrize("labels", [LABELS, ["yes", "no"] * 10], ids=["three", "two"])
@pytest.mark.filterwarnings("ignore::embedkit.errors.UnknownWordsWarning")
def test_a_network_is_explained_within_the_tolerance(
    pooling: str | None, labels: list[str], model: Path
) -> None:
    for activation in ("relu", "tanh"):
        classifier = TextClassifier.train(
            TEXTS, labels, str(model), pooling=pooling, activation=activation, **NETWORK
        )
        for text, found in zip(ASKED, explain_texts(classifier, ASKED), strict=True):
            assert found.method == "integrated gradients"
            added = found.of_words + found.of_ngrams
            allowed = TOLERANCE * max(1, abs(found.total - found.bias))
            assert abs(found.bias + added - found.total) <= allowed
            expected = log_odds(classifier, text, found.label, found.against)
            assert found.total == pytest.approx(expected, rel=1e-3, abs=1e-4)
            empty = log_odds(classifier, "", found.label, found.against)
            assert found.bias == pytest.approx(empty, rel=1e-3, abs=1e-4)
            assert [word.term for word in found.words] == tokenize(text)


def test_repeated_and_unknown_words_of_a_network(model: Path) -> None:
    classifier = TextClassifier.train(TEXTS, LABELS, str(model), ngrams=2, **NETWORK)
    found = explain(classifier, "mayor0 paris xyzzy mayor0 paris")
    first, _, unknown, fourth, _ = found.words
    assert first.value == fourth.value != 0
    assert (unknown.value, unknown.known) == (0, False)
    places = {ngram.term: ngram.places for ngram in found.ngrams}
    assert places == {"<start> mayor0": (0,), "mayor0 paris": (0, 3)}


@pytest.mark.parametrize("encoder", ["onehot", "charcode"])
def test_other_vectors(encoder: str, model: Path) -> None:
    vectors = embedkit.load(model, encoder=encoder)
    classifier = TextClassifier.train(TEXTS, LABELS, vectors, pooling="sum", **NETWORK)
    found = explain(classifier, "mayor1 paris")
    assert found.bias + found.of_words == pytest.approx(found.total, rel=1e-5, abs=1e-5)
    assert found.total == pytest.approx(
        log_odds(classifier, "mayor1 paris", found.label, found.against), rel=1e-3, abs=1e-4
    )


def test_composed_words_have_contributions(subword_model: Path) -> None:
    vectors = embedkit.load(subword_model)
    words = vectors.vocabulary.words()[:4]
    classifier = TextClassifier.train(words * 5, ["a", "a", "b", "b"] * 5, vectors, **NETWORK)
    found = explain(classifier, f"{words[0]} {words[1]}x")
    assert found.words[1].known
    assert found.words[1].value != 0


def test_labels_and_numbers(model: Path) -> None:
    several = [("a",), ("b",), ("a", "b"), ()] * 5
    classifier = TextClassifier.train(TEXTS, several, str(model), task="labels", C=0.1)
    found = explain(classifier, "mayor0 paris")
    assert found.against is None
    chance = classifier.predict_proba(["mayor0 paris"])[0].max()
    assert found.total == pytest.approx(math.log(chance / (1 - chance)), rel=1e-3, abs=1e-4)
    assert explain(classifier, "mayor0", label="b", against="a").total == pytest.approx(
        explain(classifier, "mayor0", label="b").total
        - explain(classifier, "mayor0", label="a").total
    )
    numbers = TextClassifier.train(TEXTS, [1.0, 2.0, 3.0, 10.0] * 5, str(model), task="number")
    found = explain(numbers, "border1 madrid")
    assert found.total == pytest.approx(float(numbers.predict(["border1 madrid"])[0]), rel=1e-5)
    assert found.bias + found.of_words + found.of_ngrams == pytest.approx(found.total)
    assert found.label is None
    with pytest.raises(ConfigurationError, match="predicts numbers has no labels"):
        explain(numbers, "a", label="x")


def test_labels_that_cannot_be_explained(linear: TextClassifier, model: Path) -> None:
    with pytest.raises(ConfigurationError, match="'x'; choose from capital, country, other"):
        explain(linear, "paris", label="x")
    with pytest.raises(ConfigurationError, match="'x'; choose from capital, country, other"):
        explain(linear, "paris", against="x")
    with pytest.raises(ConfigurationError, match="the label 'other' with itself"):
        explain(linear, "paris", label="other", against="other")
    with pytest.raises(ConfigurationError, match="one label for each text, not any number"):
        TextClassifier.train(TEXTS, LABELS, str(model), head="network", task="labels")
    predicted = explain(linear, "mayor0 paris").label
    assert explain(linear, "mayor0 paris", against=predicted).label != predicted
    integers = TextClassifier.train(["a", "b"] * 9, [1, 2] * 9, None)
    assert explain(integers, "a", label="2").label == 2


@pytest.mark.parametrize(
    ("text", "tokens", "shown"),
    [
        ("Where's the CAFE\u0301 (open)?", ["where's", "the", "café", "open"],
         ["Where's", "the", "CAFE\u0301", "open"]),
        ("Straße ﬁn", ["strasse", "fin"], ["Straße", "ﬁn"]),
        ("", [], []),
    ],
)  # fmt: skip
def test_tokens_are_found_in_their_text(text: str, tokens: list[str], shown: list[str]) -> None:
    assert tokenize(text) == tokens
    spans = token_spans(text, tokens)
    assert spans is not None
    assert [text[first:last] for first, last in spans] == shown
    assert token_spans("abc", ["abd"]) is None


@given(st.text(max_size=30), st.sampled_from([*TOKENIZERS]))
@settings(deadline=None)
def test_spans_are_in_order(text: str, tokenizer: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    spans = token_spans(text, tokenize(text, tokenizer))
    for place, ((first, end), (start, last)) in enumerate(
        zip(spans or [], (spans or [])[1:], strict=False)
    ):
        assert 0 <= first < end <= len(text), place
        # Two tokens share no more than one letter and its marks, such as a ligature.
        assert first <= start, place
        assert end <= start or re.fullmatch(".[\u0300-\u036f]*", text[start:end], re.DOTALL), place
        assert last <= len(text), place


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_shows_texts_as_text(linear: TextClassifier) -> None:
    text = '<script>alert(1)</script> & "mayor0" Paris <b>x</b> mayor0 {style}'
    page = render_explanations([explain(linear, text), explain(linear, "paris")])
    parser = Text()
    parser.feed(page)
    assert not {"script", "b", "link", "img"} & parser.tags
    assert text in "".join(parser.texts)
    assert "mayor0 (2 times)" in parser.texts
    assert not re.search(r"https?://|url\(|@import", page)
    assert "default-src 'none'" in page


@pytest.mark.slow
def test_the_page_is_drawn_by_a_browser(linear: TextClassifier, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(render_explanations([explain(linear, "mayor0 paris")]))
    subprocess.run(
        [find_chromium(), "--headless", "--no-sandbox", "--window-size=800,500",
         f"--screenshot={tmp_path / 'a.png'}", (tmp_path / "a.html").as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    from matplotlib.image import imread

    red, green, blue = imread(tmp_path / "a.png")[..., :3].transpose(2, 0, 1)
    assert ((green > red + 0.15) & (green > blue + 0.15)).mean() > 0.005  # the style is applied


def test_an_unknown_label_among_many_is_corrected() -> None:
    labels = [f"label{number:02}" for number in range(30)]
    classifier = TextClassifier.train([f"w{n}" for n in range(30)], labels, None)
    with pytest.raises(
        ConfigurationError, match=r"unknown label 'labe17'; there are 30 labels\. .*mean label17"
    ):
        explain(classifier, "w1", label="labe17")
