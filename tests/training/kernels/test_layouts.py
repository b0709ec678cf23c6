"""CBOW and composed words: the compiled kernel against the reference, and both against calculus."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from embedkit.system.random import epoch_key
from embedkit.training.kernels import cpu, cpu_rows, reference, reference_layouts
from embedkit.training.kernels.layout import InputLayout
from tests.training.kernels.problems import Problem

RATE = np.float32(0.05)
NGRAMS = 25


class LayoutProblem(Problem):
    """A small random text whose words share rows, as those of n-grams."""

    def with_layout(self, *, cbow: bool, composed: bool, weighted: bool) -> LayoutProblem:
        random = np.random.default_rng(7)
        words = self.inputs
        first = self.words + NGRAMS
        self.inputs = cpu.aligned_matrix(first + 2 * self.window, self.dimension)
        self.inputs[: self.words] = words
        columns = slice(0, self.dimension)
        self.inputs[self.words : first, columns] = random.normal(
            0, self.scale, (NGRAMS, self.dimension)
        )
        self.inputs[first:, columns] = random.normal(1, 0.1, (2 * self.window, self.dimension))
        starts, members = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        shares = np.zeros(0, dtype=np.float32)
        if composed:
            rows = [
                [word, *(self.words + random.integers(0, NGRAMS, random.integers(0, 6)))]
                for word in range(self.words)
            ]
            starts = np.cumsum([0, *map(len, rows)])
            members = np.concatenate(rows).astype(np.int32)
            shares = random.uniform(0.2, 1, self.words).astype(np.float32)
        self.layout = InputLayout(cbow, starts, members, shares, first if weighted else -1)
        return self

    def train(self, kernel: Any, inputs: Any, outputs: Any, start: int, stop: int) -> Any:
        key = epoch_key(seed=3, epoch=1)
        return kernel.train_range(
            inputs, outputs, self.dimension, self.tokens, self.boundaries, start, stop, self.keep,
            self.noise, self.aliases, RATE if kernel is cpu else float(RATE), self.window,
            self.negative, np.uint64(key) if kernel is cpu else key, self.layout,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("cbow", "composed", "weighted"),
    [
        (False, False, False),
        (False, True, False),
        (True, False, False),
        (True, True, False),
        (True, False, True),
        (True, True, True),
    ],
)
@pytest.mark.parametrize(
    ("dimension", "window", "negative"), [(7, 1, 1), (37, 15, 13), (100, 5, 5), (300, 3, 11)]
)
def test_compiled_kernel_equals_the_reference_draw_for_draw(
    cbow: bool, composed: bool, weighted: bool, dimension: int, window: int, negative: int
) -> None:
    problem = LayoutProblem(dimension, window, negative).with_layout(
        cbow=cbow, composed=composed, weighted=weighted
    )
    inputs, outputs = problem.inputs.astype(np.float64), problem.outputs.astype(np.float64)
    before = inputs.copy()
    for start, stop in ((0, 2), (2, 150), (150, 151), (151, 500)):
        pairs, loss = problem.train(cpu, problem.inputs, problem.outputs, start, stop)
        expected = problem.train(reference_layouts, inputs, outputs, start, stop)
        assert pairs == expected[0]
        assert loss == pytest.approx(expected[1], rel=1e-5)
    np.testing.assert_allclose(problem.inputs, inputs, rtol=2e-4, atol=5e-5)
    np.testing.assert_allclose(problem.outputs, outputs, rtol=2e-4, atol=5e-5)
    changed = (inputs != before).any(axis=1)
    assert changed[: problem.words].any()
    assert changed[problem.words : problem.words + NGRAMS].any() == composed
    assert changed[problem.words + NGRAMS :].any() == weighted


def test_the_reference_of_layouts_agrees_with_that_of_plain_words() -> None:
    problem = LayoutProblem(12).with_layout(cbow=False, composed=False, weighted=False)
    inputs, outputs = problem.inputs.astype(np.float64), problem.outputs.astype(np.float64)
    plain, plain_outputs = inputs[: problem.words].copy(), outputs.copy()
    found = problem.train(reference_layouts, inputs, outputs, 0, 500)
    expected = reference.train_range(
        plain, plain_outputs, 12, problem.tokens, problem.boundaries, 0, 500, problem.keep,
        problem.noise, problem.aliases, float(RATE), problem.window, problem.negative,
        epoch_key(seed=3, epoch=1),
    )  # fmt: skip
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1])
    np.testing.assert_allclose(inputs[: problem.words], plain, atol=1e-12)
    np.testing.assert_allclose(outputs, plain_outputs, atol=1e-12)


def test_words_of_one_row_each_are_trained_as_without_n_grams() -> None:
    """A word that is composed of its own row alone differs only in when its row is written."""
    sentences = np.array([0, 2, 4], dtype=np.int64)
    problem = LayoutProblem(8).with_layout(cbow=False, composed=False, weighted=False)
    problem.tokens, problem.boundaries = np.array([0, 1, 2, 3], dtype=np.int32), sentences
    problem.keep[:] = 2**32 - 1
    inputs, outputs = problem.inputs.astype(np.float64), problem.outputs.astype(np.float64)
    composed, composed_outputs = inputs.copy(), outputs.copy()
    problem.train(reference_layouts, inputs, outputs, 0, 4)
    words = problem.words
    problem.layout = InputLayout(
        starts=np.arange(words + 1),
        members=np.arange(words, dtype=np.int32),
        shares=np.ones(words, dtype=np.float32),
    )
    problem.train(reference_layouts, composed, composed_outputs, 0, 4)
    np.testing.assert_allclose(composed, inputs, atol=1e-12)
    np.testing.assert_allclose(composed_outputs, outputs, atol=1e-12)


def test_a_cbow_step_follows_the_gradient_of_the_loss() -> None:
    """One center between two contexts, against finite differences of -log sigmoid."""
    random = np.random.default_rng(1)
    inputs, outputs = random.normal(size=(5, 4)), random.normal(size=(3, 4))
    weights = random.normal(1, 0.2, size=(2, 4))
    targets = [0, 1, 2]

    def loss(rows: np.ndarray, factors: np.ndarray) -> float:
        mean = (factors * rows[[3, 4]]).mean(axis=0)
        signs = np.array([-1.0, 1.0, 1.0])
        return float(np.logaddexp(0.0, signs * (outputs[targets] @ mean)).sum())

    rate, tiny = 1e-5, 1e-6
    new, new_weights = inputs.copy(), weights.copy()
    pairs, reported = reference_layouts._train_mean(
        new, outputs.copy(), np.array([3, 4]), targets, rate, 1.0, new_weights, np.array([0, 1])
    )
    assert (pairs, reported) == (3, pytest.approx(loss(inputs, weights)))
    for row in (3, 4):
        for column in range(4):
            moved = inputs.copy()
            moved[row, column] += tiny
            slope = (loss(moved, weights) - loss(inputs, weights)) / tiny
            # The whole change of the mean, not half of it, is added to both contexts.
            change = (new - inputs)[row, column]
            assert change == pytest.approx(-rate * slope * 2, rel=1e-3, abs=1e-10)
            factors = weights.copy()
            factors[row - 3, column] += tiny
            slope = (loss(inputs, factors) - loss(inputs, weights)) / tiny
            change = (new_weights - weights)[row - 3, column]
            assert change == pytest.approx(-rate * slope, rel=1e-3, abs=1e-10)


@pytest.mark.parametrize("cbow", [False, True])
def test_the_share_of_a_change_is_added_to_every_row_of_a_word(cbow: bool) -> None:
    """Two words, one composed of three rows, one of which counts twice: n = 4, 1 + 1 + 2 ** 2."""
    inputs, outputs = np.zeros((4, 2)), np.array([[0.5, -1.0], [2.0, 0.25], [0, 0]])
    inputs[:] = [[1, 2], [0.5, 0], [3, 1], [0, 4]]
    old = inputs.copy()
    members = np.array([0, 2, 3, 3, 1], dtype=np.int32)
    shares = np.array([4 / 6, 1], dtype=np.float32)
    layout = InputLayout(cbow, np.array([0, 4, 5]), members, shares)
    one, none = np.full(2, 2**32 - 1, dtype=np.uint32), np.zeros(2, dtype=np.int32)
    reference_layouts.train_range(
        inputs, outputs, 2, np.array([0, 1], dtype=np.int32), np.array([0, 2]), 1, 2, one, one,
        none, 0.1, 1, 1, 5, layout,
    )  # fmt: skip
    change = (inputs - old)[0]
    assert change.any()
    np.testing.assert_allclose(inputs - old, [change, [0, 0], change, 2 * change], atol=1e-12)
    # The mean of the rows has moved by the whole change of the composed word.
    moved = (inputs - old)[members[:4]].mean(axis=0)
    np.testing.assert_allclose(moved, change / shares[0], rtol=1e-6)


def test_contexts_that_are_the_same_word_move_their_mean_by_the_change() -> None:
    """Three contexts, two of them the same: the share is 3 / (2 ** 2 + 1 ** 2)."""
    contexts = np.array([4, 7, 4], dtype=np.int64)
    assert cpu_rows.share_of(contexts, 3) == pytest.approx(3 / 5)
    assert cpu_rows.share_of(contexts, 2) == 1.0


@pytest.mark.parametrize("layout", [(False, True, False), (True, False, False)])
def test_results_do_not_depend_on_how_often_the_kernel_is_called_for_one_sentence_each(
    layout: tuple[bool, bool, bool],
) -> None:
    kinds = dict(zip(("cbow", "composed", "weighted"), layout, strict=True))
    whole, parts = (LayoutProblem(20).with_layout(**kinds) for _ in range(2))
    pairs, loss = whole.train(cpu, whole.inputs, whole.outputs, 0, 500)
    results = [
        parts.train(cpu, parts.inputs, parts.outputs, start, stop)
        for start, stop in pairwise(parts.boundaries.tolist())
    ]
    assert sum(result[0] for result in results) == pairs
    assert sum(result[1] for result in results) == pytest.approx(loss, rel=1e-9)
    np.testing.assert_array_equal(parts.inputs, whole.inputs)
    np.testing.assert_array_equal(parts.outputs, whole.outputs)


@pytest.mark.parametrize("matrix", ["inputs", "outputs"])
@pytest.mark.parametrize("cbow", [False, True])
def test_nan_shows_in_the_loss(matrix: str, cbow: bool) -> None:
    problem = LayoutProblem(8).with_layout(cbow=cbow, composed=True, weighted=False)
    getattr(problem, matrix)[1, 0] = np.nan
    _, loss = problem.train(cpu, problem.inputs, problem.outputs, 0, 500)
    assert not np.isfinite(loss)
