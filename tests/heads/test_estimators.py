"""Citizens of scikit-learn that learn what they should."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from embedkit.corpus.vocabulary import Vocabulary
from embedkit.errors import ConfigurationError, InputError, TrainingError, UnknownWordsWarning
from embedkit.features import TextFeatures
from embedkit.heads import DenseClassifier, DenseRegressor
from embedkit.vectors.word_vectors import WordVectors

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
WORDS = ["where", "why", "who", "is", "the", "milk", "bread", "cold"]
VECTORS = WordVectors(
    Vocabulary(WORDS), np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
)
TEXTS = ["where is the milk", "why is the milk cold", "who is cold", "where is bread"] * 5
LABELS = ["place", "reason", "person", "place"] * 5


EXPECTED_FAILURES = {
    "check_regressor_multioutput": "it wants float64; predictions are float32, as the weights are",
}


@parametrize_with_checks(
    [DenseClassifier(epochs=30), DenseRegressor()],
    expected_failed_checks=lambda network: (
        EXPECTED_FAILURES if isinstance(network, DenseRegressor) else {}
    ),
)
def test_scikit_learn_s_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_tags_say_what_goes_in() -> None:
    assert get_tags(DenseClassifier()).input_tags.sparse
    texts = get_tags(DenseClassifier(finetune=True, vectors=VECTORS)).input_tags
    assert (texts.string, texts.one_d_array, texts.two_d_array) == (True, True, False)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_exclusive_or(activation: str) -> None:
    network = DenseClassifier((8,), activation=activation, epochs=500, validation_fraction=0)
    assert network.fit(*XOR).predict(XOR[0]).tolist() == [0, 1, 1, 0]
    assert network.history_[-1].loss < 0.1
    # no network of one layer can: its boundary is a line
    assert (DenseClassifier((), validation_fraction=0).fit(*XOR).score(*XOR)) < 1


def test_weight_by_height_and_age() -> None:
    random = np.random.default_rng(0)
    height, age = random.normal(170, 10, 600), random.uniform(18, 80, 600)
    weight = 70 + 0.9 * (height - 170) + 6 * np.sin(age / 20) + random.normal(0, 2, 600)
    table = np.column_stack([height, age])
    network = DenseRegressor(hidden=(3, 3), activation="tanh").fit(table[:400], weight[:400])
    missed = network.predict(table[400:]) - weight[400:]
    assert np.sqrt((missed**2).mean()) < 2.6  # the noise alone is 2; the spread is over 9
    assert network.predict(table).dtype == np.float32


@pytest.mark.parametrize("size", [1e300, 3e38])
def test_targets_beyond_float32_are_an_error(size: float) -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(TrainingError, match=r"exceeds float32.*Lower .* a moderate size"):
        DenseRegressor(epochs=5).fit(inputs, inputs[:, 0] * size)


def test_large_targets_are_learned() -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 2))
    found = DenseRegressor((), epochs=200).fit(inputs, inputs[:, 0] * 1e30).predict(inputs)
    assert found == pytest.approx(inputs[:, 0] * 1e30, abs=1e29)


@pytest.mark.parametrize("kind", [DenseClassifier, DenseRegressor])
def test_tiny_differences_never_give_infinite_weights(kind: Any) -> None:
    inputs = np.random.default_rng(0).normal(size=(40, 2)) * 1e-42  # 1 / deviation overflows
    with pytest.raises(TrainingError, match="weights of the network are not finite"):
        kind(epochs=2).fit(inputs, np.arange(40) % 2)


@pytest.mark.parametrize("kind", [DenseClassifier, DenseRegressor])
def test_divergence_is_an_error(kind: Any) -> None:
    inputs = csr_array(np.eye(20, dtype=np.float32) * 1e30)  # sparse inputs are not scaled
    with pytest.raises(TrainingError, match="not finite"), np.errstate(all="ignore"):
        kind(optimizer="sgd", learning_rate=100, epochs=9).fit(inputs, np.arange(20) % 2)


def test_several_outputs() -> None:
    inputs = np.random.default_rng(0).normal(size=(300, 3))
    targets = inputs @ np.array([[1, 100], [2, 0], [0, -50]]) + [7, 1000]
    network = DenseRegressor((), epochs=100).fit(inputs, targets)
    np.testing.assert_allclose(network.predict(inputs), targets, rtol=0.02, atol=2)


def test_one_layer_is_logistic_regression() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    inputs = random.normal(size=(300, 2)) + np.eye(3)[labels, :2]  # they overlap
    network = DenseClassifier((), epochs=1000, validation_fraction=0, batch_size=300)
    network.fit(inputs, labels)
    other = LogisticRegression(C=1e6).fit(inputs, labels)
    np.testing.assert_allclose(
        network.predict_proba(inputs), other.predict_proba(inputs), atol=0.01
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_and_labels(classes: int) -> None:
    inputs, codes = load_iris(return_X_y=True)
    inputs, codes = inputs[codes < classes], codes[codes < classes]
    labels = np.array(["setosa", "versicolor", "virginica"])[codes]
    network = DenseClassifier(epochs=50).fit(inputs, labels)
    shares = network.predict_proba(inputs)
    assert network.classes_.tolist() == sorted(set(labels))
    assert shares.shape == (len(inputs), classes)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert network.predict(inputs).tolist() == network.classes_[shares.argmax(1)].tolist()
    assert network.score(inputs, labels) > 0.9


def test_the_seed_alone_decides() -> None:
    inputs, labels = load_iris(return_X_y=True)
    settings = {"epochs": 10, "dropout": 0.2}
    one, same, other = (
        DenseClassifier(seed=seed, **settings).fit(inputs, labels).predict_proba(inputs)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_class_weights_make_a_rare_class_count() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [950, 50])
    inputs = random.normal(size=(1000, 1)) + labels[:, np.newaxis]  # they overlap
    found = {
        str(weight): DenseClassifier((), epochs=40, class_weight=weight).fit(inputs, labels)
        for weight in (None, "balanced", {0: 1, 1: 19})
    }
    shares = {name: network.predict(inputs).mean() for name, network in found.items()}
    assert shares["None"] < 0.05
    assert 0.25 < shares["balanced"] < 0.5
    assert shares["{0: 1, 1: 19}"] == pytest.approx(shares["balanced"], abs=0.05)


def test_sparse_inputs_are_as_dense_ones() -> None:
    random = np.random.default_rng(0)
    dense = (random.random((200, 30)) < 0.2).astype(np.float32)
    labels = dense[:, 0].astype(int) + (dense[:, 1] > 0)
    network = DenseClassifier((8,), epochs=60).fit(csr_array(dense), labels)
    assert network.score(csr_array(dense), labels) > 0.9
    np.testing.assert_allclose(
        network.predict_proba(csr_array(dense)), network.predict_proba(dense), rtol=1e-5
    )


def test_rows_are_held_out_of_each_class() -> None:
    inputs = np.random.default_rng(0).normal(size=(103, 2))
    labels = np.repeat([0, 1, 2], [80, 20, 3])
    seen: list[Any] = []
    network = DenseClassifier(validation_fraction=0.25, epochs=3, progress=seen.append)
    network.fit(inputs, labels)
    assert seen == network.history_
    assert all(epoch.validation_loss is not None for epoch in seen)


def test_finetuned_words_learn_what_they_mean_here() -> None:
    network = DenseClassifier((), finetune=True, vectors=VECTORS, epochs=60).fit(TEXTS, LABELS)
    assert network.score(TEXTS, LABELS) == 1
    assert network.predict(["where is the bread", "why"]).tolist() == ["place", "reason"]
    moved = np.abs(network.network_.embeddings[: len(WORDS)] - VECTORS.matrix).max(axis=1)
    assert (moved[:8] > 0.01).all()
    assert VECTORS.matrix.flags.writeable is False


def test_texts_without_a_known_word_are_counted() -> None:
    tuned = DenseClassifier(finetune=True, vectors=VECTORS, epochs=2)
    with pytest.warns(UnknownWordsWarning, match=r"1 of 3 texts has no known .* begin as zeros"):
        tuned.fit(["milk", "cold", "qqq"], ["+", "-", "+"])
    asked = ["milk", "zzz", "", "qqq"]  # qqq was learned
    with pytest.warns(
        UnknownWordsWarning, match=r"2 of 4 .* are zeros \(rows 1, 2, counted from 0\)"
    ):
        tuned.predict(asked)
    with pytest.warns(UnknownWordsWarning, match="2 of 4 texts"):
        nothing = tuned.predict_proba(asked)[1:3]
    assert nothing[0] == pytest.approx(nothing[1])


def test_finetuned_numbers() -> None:
    minutes = [3.0, 20.0, 1.0, 3.0] * 5
    network = DenseRegressor((), finetune=True, vectors=VECTORS, epochs=200).fit(TEXTS, minutes)
    np.testing.assert_allclose(network.predict(TEXTS[:4]), minutes[:4], atol=0.5)


def test_in_pipelines_searches_and_votes() -> None:
    texts = make_pipeline(TextFeatures(VECTORS), DenseClassifier((8,), epochs=60))
    search = GridSearchCV(
        texts, {"denseclassifier__hidden": [(), (8,)], "textfeatures__pooling": ["mean", "max"]},
        cv=2,
    ).fit(TEXTS, LABELS)  # fmt: skip
    assert search.best_score_ == 1
    tuned = DenseClassifier((), finetune=True, vectors=VECTORS, epochs=60)
    vote = VotingClassifier([("1", tuned), ("2", clone(tuned).set_params(seed=2))], voting="soft")
    assert cross_val_score(vote, TEXTS, LABELS, cv=2).min() == 1
    again = pickle.loads(pickle.dumps(tuned.fit(TEXTS, LABELS)))
    np.testing.assert_array_equal(again.predict_proba(TEXTS), tuned.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("fit", "error", "message"),
    [
        (lambda: DenseClassifier(finetune=True).fit(TEXTS, LABELS), ConfigurationError,
         "finetune=True needs word vectors. Pass"),
        (lambda: DenseClassifier(finetune=True, vectors=3).fit(TEXTS, LABELS), ConfigurationError,
         "vectors must be the path of a model"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS).fit(["a", None], [0, 1]),
         InputError, "row 1 .* is None"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS).fit("where", [0]),
         InputError, "expected a column of texts"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS).fit(["a", "b"], [0, 1, 1]),
         InputError, "2 texts, but 3 targets"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS).fit(["a", "b"], ["x", None]),
         InputError, r"row 1 \(counted from 0\) has the target None"),
        (lambda: DenseRegressor(finetune=True, vectors=VECTORS).fit(["a", "b"], [np.nan, 1]),
         InputError, r"row 0 \(counted from 0\) has the target nan"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS).fit([], []),
         InputError, "no texts to train on"),
        (lambda: DenseClassifier().fit(XOR[0], [1, 1, 1, 1]), ConfigurationError,
         "there is only one class, .*1.*, in 4 rows"),
        (lambda: DenseClassifier(epochs=0).fit(*XOR), ConfigurationError, "epochs must be"),
        (lambda: DenseClassifier((10_000,) * 400).fit(*XOR), ConfigurationError,
         "2 inputs and these hidden layers need 39,900,030,000 weights; the maximum is 1,073,"),
        *[(lambda weight=weight: DenseClassifier(class_weight=weight).fit(*XOR),  # type: ignore[misc]
           ConfigurationError, "class_weight must have a number between 0 and 1,000,000 for each")
          for weight in ({0: 0, 1: 0}, {0: -1, 1: 1}, {0: np.nan}, {0: 1e300})],
        (lambda: DenseClassifier().predict(XOR[0]), NotFittedError, "not fitted"),
        (lambda: DenseClassifier(finetune=True, vectors=VECTORS, ngrams=0).fit(TEXTS, LABELS),
         ConfigurationError, "ngrams must be an integer between 1 and 10, got 0"),
    ],
)  # fmt: skip
def test_invalid_input_is_rejected(fit: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit()


def test_importing_imports_no_torch() -> None:
    script = "import embedkit.heads, embedkit.classification.text_classifier, sys"
    script += "; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
