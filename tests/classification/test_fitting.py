"""The fitted model is the minimum of the loss: by SciPy and by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge

from embedkit.classification.fitting import Parameters, Problem, TextExamples
from embedkit.classification.objectives import OBJECTIVES
from embedkit.classification.word_views import WordViews

random = np.random.default_rng(3)
WORDS, TERMS, TEXTS = 2, 8, 40


def examples(task: str) -> TextExamples:
    texts = sparse.random_array((TEXTS, TERMS), density=0.4, rng=random, format="csr")
    targets = {
        "label": np.eye(3)[random.integers(0, 3, TEXTS)],
        "labels": random.integers(0, 2, (TEXTS, 3)),
        "number": random.normal(size=(TEXTS, 1)),
    }[task]
    weights = random.uniform(0.5, 2, TEXTS)
    return TextExamples(
        texts.astype(np.float32), targets.astype(np.float32), weights.astype(np.float32)
    )


def views(ngrams: int = 4, dimension: int = 3) -> WordViews:
    matrix = sparse.random_array((WORDS, ngrams), density=0.5, rng=random, format="csr")
    vectors = random.normal(size=(WORDS, dimension)).astype(np.float32)
    return WordViews(matrix.astype(np.float32), vectors)


@pytest.mark.parametrize("task", OBJECTIVES)
def test_the_minimum_is_that_of_scipy(task: str) -> None:
    """Minimize the loss in its definition, over e, q and u, with another algorithm."""
    given, words = examples(task), views()
    problem = Problem(given, words, OBJECTIVES[task], ratios=task != "number")
    outputs = given.targets.shape[1]
    shapes = [(TERMS, outputs), (4, outputs), (3, outputs), (1, outputs)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])

    def scores(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        e, q, u, bias = (
            part.reshape(shape)
            for part, shape in zip(np.split(values, ends[:-1]), shapes, strict=True)
        )
        terms = problem.scales * e
        terms[:WORDS] += words.ngrams @ q + words.vectors @ u / 2
        return terms, bias[0]

    def loss(values: np.ndarray) -> float:
        terms, bias = scores(values)
        losses = OBJECTIVES[task].losses(given.texts @ terms + bias, given.targets)
        penalty = np.square(values[:-outputs]).sum() / (2 * 3.0 * TEXTS)
        return float(np.average(losses, weights=given.weights) + penalty)

    theirs = minimize(loss, np.zeros(ends[-1]), method="BFGS", options={"gtol": 1e-6})
    ours = problem.solve(3.0, Parameters.zeros(TEXTS, outputs), 1e-7)
    terms, bias = scores(theirs.x)
    np.testing.assert_allclose(problem.term_scores(ours), terms, atol=2e-2)
    np.testing.assert_allclose(ours.bias - ours.bias.mean(), bias - bias.mean(), atol=2e-2)
    ngrams, vectors = problem.word_weights(ours)
    parts = words.ngrams @ ngrams + words.vectors @ vectors
    e_part = problem.scales**2 * (given.texts.T @ ours.texts)
    np.testing.assert_allclose((e_part[:WORDS] + parts), terms[:WORDS], atol=2e-2)


def test_without_views_it_is_logistic_regression() -> None:
    given = examples("label")
    problem = Problem(given, views(0, 0), OBJECTIVES["label"], ratios=False)
    found = problem.solve(2.0, Parameters.zeros(TEXTS, 3), 1e-7)
    ours = given.texts @ problem.term_scores(found) + found.bias
    # scikit-learn adds the losses; ours is their weighted mean, with weights that sum to 1.
    share = given.weights * len(given) / given.weights.sum()
    theirs = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(
        given.texts, given.targets.argmax(axis=1), sample_weight=share
    )
    expected = theirs.predict_proba(given.texts)
    np.testing.assert_allclose(OBJECTIVES["label"].predictions(ours), expected, atol=5e-3)


def test_numbers_are_ridge_regression() -> None:
    given = examples("number")
    given = TextExamples(given.texts, given.targets, np.ones(TEXTS, dtype=np.float32))
    problem = Problem(given, views(0, 0), OBJECTIVES["number"], ratios=False)
    found = problem.solve(2.0, Parameters.zeros(TEXTS, 1), 1e-7)
    ours = given.texts @ problem.term_scores(found) + found.bias
    theirs = Ridge(alpha=0.5).fit(given.texts, given.targets[:, 0]).predict(given.texts)
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-2)


def test_naive_bayes_ratios_by_hand() -> None:
    texts = sparse.csr_array(np.array([[1, 0], [1, 1], [0, 1]], dtype=np.float32))
    targets = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    given = TextExamples(texts, targets, np.ones(3, dtype=np.float32))
    problem = Problem(given, views(0, 0), OBJECTIVES["label"], ratios=True)
    # Term 0 occurs twice with label 0 and never with label 1; term 1 once with each. Plus 1:
    # label 0 has 3 and 2, label 1 has 1 and 2.
    ratio = np.log((3 / 5) / (1 / 3))
    assert problem.scales[0].tolist() == pytest.approx([np.hypot(1, ratio)] * 2)
