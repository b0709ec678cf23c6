"""Draws by torch against `sampling.py`, and the plain torch kernel against the reference."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedkit.system.random import draw, epoch_key  # noqa: E402
from embedkit.training.kernels import LARGEST_WEIGHT, reference, torch_fallback  # noqa: E402
from embedkit.training.kernels.draws import (  # noqa: E402
    KeptWords,
    Tables,
    context_span,
    kept_words,
)
from tests.training.test_kernels import Problem  # noqa: E402

KEY = epoch_key(3, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def kept(problem: Problem, start: int, stop: int) -> KeptWords:
    tables = Tables.of(problem.keep, problem.noise, problem.aliases)
    tokens, boundaries = problem.tokens, problem.boundaries
    low, high = context_span(tokens, boundaries, start, stop, tables.keep, problem.window, KEY)
    return kept_words(
        torch.from_numpy(tokens[low:high]), low, torch.from_numpy(boundaries), start, stop,
        tables, problem.window, problem.negative, KEY,
    )  # fmt: skip


def test_draws_are_those_of_the_reference() -> None:
    problem = Problem(8, window=7, negative=9)
    found = kept(problem, 0, 500)
    positions = [
        position
        for position, word in enumerate(problem.tokens)
        if word < problem.words and draw(KEY, position) >> 32 <= problem.keep[word]
    ]
    assert 0 < len(positions) < 500
    assert (found.first, found.last) == (0, len(positions))
    assert found.words.tolist() == problem.tokens[positions].tolist()
    for slot, position in enumerate(positions):
        reach = 1 + (((draw(KEY, position) & 0xFFFFFFFF) * 7) >> 32)
        assert found.reaches[slot] == reach
        assert found.negatives[slot].tolist() == [
            reference.noise_word(draw(KEY, position, n), problem.noise, problem.aliases)
            for n in range(1, 10)
        ]
    sentences = np.searchsorted(problem.boundaries, positions, side="right")
    assert found.sentences.tolist() == sentences.tolist()


def test_a_range_takes_in_the_context_around_it_and_no_more_than_its_sentence() -> None:
    rare = 3  # most words are not kept, so context is far away
    tokens = np.zeros(10_000, dtype=np.int32)
    boundaries = np.array([0, 100, 9_900, 10_000])
    keep = torch.tensor([2**32 // 1000 * rare])
    low, high = context_span(tokens, boundaries, 5_000, 5_010, keep, 3, KEY)
    sides = [range(low, 5_000), range(5_010, high)]
    for side in sides:
        assert sum(draw(KEY, p) >> 32 <= int(keep[0]) for p in side) >= 3
    assert 100 <= low < 4_990
    assert 5_020 < high <= 9_900
    assert context_span(tokens, boundaries, 100, 9_900, keep, 15, KEY) == (100, 9_900)
    assert context_span(tokens, boundaries, 102, 103, keep, 15, KEY)[0] == 100


@pytest.mark.parametrize("negative", [1, 5, 13])
def test_a_group_of_one_centre_is_a_step_of_the_reference(negative: int) -> None:
    problem = Problem(12, window=4, negative=negative, words=400, sample=1.0)
    # All words differ, so no window holds one twice.
    problem.tokens = np.random.default_rng(2).permutation(400).astype(np.int32)
    problem.boundaries = np.array([0, 1, 30, 400])
    expected = problem.inputs.astype(np.float64), problem.outputs.astype(np.float64)
    matrices = [torch.from_numpy(m.copy()) for m in (problem.inputs, problem.outputs)]
    expected_pairs, expected_loss = problem.run(reference, *expected, 0, 60)
    pairs, loss = torch_fallback.train_kept(*matrices, kept(problem, 0, 60), 0.05, 4, centres=1)
    assert int(pairs) == expected_pairs
    assert float(loss) == pytest.approx(expected_loss, rel=1e-5)
    for matrix, other in zip(matrices, expected, strict=True):
        np.testing.assert_allclose(matrix.numpy(), other, atol=2e-5)


def test_the_order_of_a_group_does_not_count_pairs_twice() -> None:
    problem = Problem(12)
    pairs, _ = problem.run(reference, problem.inputs.astype(float), problem.outputs.astype(float),
                           0, 500)  # fmt: skip
    for centres in (1, 17, 1000):
        matrices = [torch.from_numpy(m.copy()) for m in (problem.inputs, problem.outputs)]
        seen, loss = torch_fallback.train_kept(*matrices, kept(problem, 0, 500), 0.05, 5,
                                            centres=centres)  # fmt: skip
        assert int(seen) == pairs
        assert torch.isfinite(loss).all()


def test_a_group_together_weighs_no_more_than_the_bound() -> None:
    matrix = torch.zeros(3, 2)
    ids = torch.tensor([[0, 0], [0, 1]])
    weights = torch.tensor([[0.4, 0.4], [0.4, 0.3]])
    changes = weights[:, :, None] * torch.ones(2, 2, 2)
    torch_fallback._add(matrix, ids, changes, weights)
    assert matrix[0].tolist() == pytest.approx([LARGEST_WEIGHT] * 2)
    assert matrix[1].tolist() == pytest.approx([0.3] * 2)
    assert not matrix[2].any()
