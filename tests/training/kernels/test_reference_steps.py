"""The order of steps on a GPU against the definition, and against calculations by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embedkit.training.kernels import reference_layouts, reference_steps
from embedkit.training.kernels.layout import InputLayout

ROWS = 12
ALL = np.full(6, 2**32 - 1, dtype=np.uint32)  # keeps every word; each negative sample is drawn
NONE = np.zeros(6, dtype=np.int32)


def layout(*, cbow: bool, rows: list[list[int]]) -> InputLayout:
    starts = np.cumsum([0, *map(len, rows)])
    shares = np.linspace(0.4, 1, len(rows)).astype(np.float32)
    return InputLayout(cbow, starts, np.concatenate(rows).astype(np.int32), shares)


def train(
    kernel: Any, chosen: InputLayout, tokens: list[int], start: int, stop: int, **last: Any
) -> Any:
    """Train a part of one sentence; return the number of pairs, the loss and both matrices."""
    random = np.random.default_rng(3)
    inputs, outputs = random.normal(0, 0.5, (2, ROWS, 7))
    cut = [[start, stop]] if kernel is reference_steps.train_batches else [start, stop]
    done = kernel(
        inputs, outputs[:6], 7, np.array(tokens, dtype=np.int32), np.array([0, len(tokens)]), *cut,
        ALL, ALL, NONE, 0.1, 2, 4, 9, chosen, **last,
    )  # fmt: skip
    return *done, inputs, outputs


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("composed", [False, True])
def test_a_step_of_one_center_is_that_of_the_definition(cbow: bool, composed: bool) -> None:
    """Its contexts share no rows; word 2 has a row twice."""
    rows = [[0, 6], [1, 7], [2, 8, 8, 9], [3], [4, 10], [5, 11]]
    chosen = layout(cbow=cbow, rows=rows) if composed else InputLayout(cbow)
    tokens = [0, 2, 4, 5, 1]
    found = train(reference_steps.train_batches, chosen, tokens, 2, 3, centers=1)
    expected = train(reference_layouts.train_range, chosen, tokens, 2, 3)
    assert found[0] == expected[0]
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_the_changes_of_a_batch_are_averaged_where_they_agree_and_added_where_not() -> None:
    """Words 0, 1 and 2 share row 6; word 0 has it twice."""
    rows = [[0, 6, 6], [1, 6], [2, 6], [3], [4], [5]]
    changes = np.zeros((6, 2))
    changes[:3] = [[1, 0], [2, 0], [0, 3]]
    inputs = np.zeros((7, 2))
    reference_steps._scatter(inputs, layout(cbow=False, rows=rows), changes)
    np.testing.assert_array_equal(inputs[:6], changes)  # the rows of one word each
    # The sum is 2 (1, 0) + (2, 0) + (0, 3) = (4, 3); the squares of its terms are 4, 4 and 9.
    np.testing.assert_allclose(inputs[6], np.array([4, 3]) / (25 / 17))


def test_a_batch_sees_the_changes_of_earlier_ones() -> None:
    """Two batches are two calls, but not one batch of the same centers."""
    chosen = layout(cbow=False, rows=[[n, 6] for n in range(6)])
    tokens = np.array([0, 1, 2, 3, 4, 5] * 2, dtype=np.int32)

    def run(*batches: list[int]) -> np.ndarray:
        inputs, outputs = np.random.default_rng(3).normal(0, 0.5, (2, ROWS, 7))
        for cuts in batches:
            reference_steps.train_batches(
                inputs, outputs[:6], 7, tokens, np.array([0, 12]), cuts, ALL, ALL, NONE, 0.1, 2, 4,
                9, chosen, 2,
            )  # fmt: skip
        return inputs

    two = run([0, 6, 12])
    np.testing.assert_array_equal(two, run([0, 6], [6, 12]))
    assert np.abs(two - run([0, 12])).max() > 1e-3
