"""The fitted model is the minimum of the loss: by finite differences, and by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize._numdiff import approx_derivative
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
def test_the_gradient_is_that_of_finite_differences(task: str) -> None:
    problem = Problem(examples(task), views(), OBJECTIVES[task], ratios=task != "number")
    outputs = 1 if task == "number" else 3
    start = Parameters.zeros(problem.rows, outputs)
    for _ in range(3):
        values = random.normal(size=len(start.values))
        expected = approx_derivative(
            lambda x: problem._loss_and_gradient(x, start, 0.1)[0], values, abs_step=1e-2
        )
        gradient = problem._loss_and_gradient(values, start, 0.1)[1]
        np.testing.assert_allclose(gradient, expected, atol=1e-3)


def test_without_views_it_is_logistic_regression() -> None:
    given = examples("label")
    problem = Problem(given, views(0, 0), OBJECTIVES["label"], ratios=False)
    found = problem.solve(2.0, Parameters.zeros(problem.rows, 3))
    ours = given.texts @ problem.term_scores(found) + found.split()[3]
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
    found = problem.solve(2.0, Parameters.zeros(problem.rows, 1))
    ours = given.texts @ problem.term_scores(found) + found.split()[3]
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
