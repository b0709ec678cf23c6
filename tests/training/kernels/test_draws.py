"""Draws as torch tensors against those of `system.random`."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedkit.system.random import draw, epoch_key  # noqa: E402
from embedkit.training.kernels import reference  # noqa: E402
from embedkit.training.kernels.draws import (  # noqa: E402
    KeptWords,
    SamplingTables,
    context_span,
    kept_words,
)
from tests.training.kernels.problems import Problem  # noqa: E402

KEY = epoch_key(3, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def kept(problem: Problem, start: int, stop: int) -> KeptWords:
    tables = SamplingTables.of(problem.keep, problem.noise, problem.aliases)
    tokens, boundaries = problem.tokens, problem.boundaries
    low, high = context_span(tokens, boundaries, start, stop, tables.keep, problem.window, KEY)
    return kept_words(
        torch.from_numpy(tokens[low:high]), low, torch.from_numpy(boundaries), start, stop,
        tables, problem.window, problem.negative, KEY,
    )  # fmt: skip


def test_draws_equal_the_reference() -> None:
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


def test_a_range_includes_its_context_within_the_sentence() -> None:
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
