"""The compiled kernel against the reference, and the reference against calculus."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import embedkit
from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT, cpu, reference
from tests.training.kernels.problems import Problem


@pytest.mark.parametrize(
    ("dimension", "window", "negative"),
    [
        (1, 5, 5),
        (7, 1, 1),
        (16, 5, 6),
        (37, 15, 13),
        (100, 5, 5),
        (128, 2, 25),
        (300, 8, 15),
        (20, 60, 5),
    ],
)
def test_compiled_kernel_equals_the_reference_draw_for_draw(
    dimension: int, window: int, negative: int
) -> None:
    problem = Problem(dimension, window, negative)
    inputs, outputs = problem.inputs.astype(np.float64), problem.outputs.astype(np.float64)
    for start, stop in ((0, 2), (2, 150), (150, 151), (151, 500)):
        pairs, loss = problem.run(cpu, problem.inputs, problem.outputs, start, stop)
        expected_pairs, expected_loss = problem.run(reference, inputs, outputs, start, stop)
        assert pairs == expected_pairs
        assert loss == pytest.approx(expected_loss, rel=1e-6)
    np.testing.assert_allclose(problem.inputs, inputs, atol=2e-5)
    np.testing.assert_allclose(problem.outputs, outputs, atol=2e-5)


def test_results_do_not_depend_on_where_a_range_is_split() -> None:
    whole, parts = Problem(20), Problem(20)
    pairs, loss = whole.run(cpu, whole.inputs, whole.outputs, 0, 500)
    results = [
        parts.run(cpu, parts.inputs, parts.outputs, start, stop)
        for start, stop in ((0, 3), (3, 100), (100, 101), (101, 499), (499, 500))
    ]
    assert sum(result[0] for result in results) == pairs
    assert sum(result[1] for result in results) == pytest.approx(loss, rel=1e-9)
    np.testing.assert_array_equal(parts.inputs, whole.inputs)
    np.testing.assert_array_equal(parts.outputs, whole.outputs)


def test_the_unused_row_and_the_padding_stay_zero() -> None:
    problem = Problem(21, negative=7)
    problem.run(cpu, problem.inputs, problem.outputs, 0, 500)
    assert not problem.outputs[-1].any()
    assert not problem.inputs[:, 21:].any()
    assert not problem.outputs[:, 21:].any()


def test_words_outside_the_vocabulary_are_ignored() -> None:
    problem = Problem(8, sample=0.0, words=10, window=1)
    problem.noise[:], problem.aliases[:] = 0, 9  # every negative is word 9, or very nearly so
    expected = 0
    for low, high in zip(problem.boundaries, problem.boundaries[1:], strict=False):
        sentence = [word for word in problem.tokens[low:high] if word < 10]
        for place, word in enumerate(sentence):
            contexts = (place > 0) + (place < len(sentence) - 1)
            expected += contexts * (1 if word == 9 else 6)
    assert (problem.tokens >= 10).any()
    for kernel in (reference, cpu):
        pairs, _ = problem.run(kernel, problem.inputs, problem.outputs, 0, 500)
        assert pairs == expected


def test_the_step_follows_the_gradient_of_the_loss() -> None:
    """One center with one context, against finite differences of -log sigmoid."""
    random = np.random.default_rng(1)
    inputs, outputs = random.normal(size=(3, 5)), random.normal(size=(7, 5))
    words, labels = [0, 1, 2, 3, 4, 5], np.eye(1, 6)[0]

    def loss(x: np.ndarray, y: np.ndarray) -> float:
        logits = y[words] @ x[1]
        return float(-np.log(1 / (1 + np.exp(np.where(labels > 0, -logits, logits)))).sum())

    rate, tiny = 1e-4, 1e-6
    before_inputs, before_outputs = inputs.copy(), outputs.copy()
    reported = reference.step(inputs, outputs, [1], words, labels, np.ones(6), rate)
    assert reported == pytest.approx(loss(before_inputs, before_outputs))
    for matrix, before, row in (
        (inputs, before_inputs, 1),
        (outputs, before_outputs, 0),
        (outputs, before_outputs, 4),
    ):
        for column in range(5):
            moved = before.copy()
            moved[row, column] += tiny
            arguments = (moved, before_outputs) if matrix is inputs else (before_inputs, moved)
            slope = (loss(*arguments) - loss(before_inputs, before_outputs)) / tiny
            assert (matrix - before)[row, column] == pytest.approx(-rate * slope, abs=1e-8)
    assert np.array_equal(outputs[6], before_outputs[6])


def test_gradients_of_a_step_are_bounded() -> None:
    """40 contexts that push two rows away at rate 0.1 weigh from 4 to 8 without the bound."""
    for value, scale in (
        (0.01, 1.0),  # the logits are 0.04, so their sum, 3.2, is no error to speak of
        (5.0, LARGEST_ERROR / 1600),  # 80 logits of 20
    ):
        inputs, outputs = np.ones((1, 4)), np.full((1, 4), value)
        reference.step(inputs, outputs, [0] * 40, [0, 0], np.zeros(2), np.ones(2), 0.1)
        assert inputs[0, 0] == pytest.approx(1.0 - LARGEST_WEIGHT * scale * value)


def test_nan_and_infinity_show_in_the_loss() -> None:
    for value in (np.nan, np.inf):
        for matrix in ("inputs", "outputs"):
            problem = Problem(8)
            getattr(problem, matrix)[1, 0] = value
            _, loss = problem.run(cpu, problem.inputs, problem.outputs, 0, 500)
            assert not np.isfinite(loss)


@pytest.mark.slow
def test_changed_constants_are_compiled(tmp_path: Path) -> None:
    """Numba's cache checks one file, but the kernel depends on several."""
    package = tmp_path / "embedkit"
    shutil.copytree(Path(embedkit.__file__).parent, package)
    constants = package / "training" / "kernels" / "__init__.py"
    script = (
        "import numpy as np\n"
        "from embedkit.training.kernels import cpu\n"
        "x, y = cpu.aligned_matrix(1, 1), cpu.aligned_matrix(2, 1)\n"
        "x[:], y[0] = 1, -5\n"
        "all = np.full(1, 2**32 - 1, dtype=np.uint32)\n"
        "cpu.train_range(x, y, 1, np.zeros(9, dtype=np.int32), np.array([0, 9]), 0, 9, all, all,\n"
        "                np.zeros(1, dtype=np.int32), np.float32(0.1), 15, 5, np.uint64(1))\n"
        "print(y[0, 0])\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    printed = []
    for weight in ("0.5", "0.5", "0.001"):
        text = re.sub(
            r"(?m)^LARGEST_WEIGHT = .*", f"LARGEST_WEIGHT = {weight}", constants.read_text()
        )
        constants.write_text(text)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        printed.append(float(done.stdout))
    assert printed[0] == printed[1] != printed[2]


def test_a_group_fits_into_the_lanes_of_the_vector_code() -> None:
    assert GROUP <= cpu._LANES
