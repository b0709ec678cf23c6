"""Rows of both matrices divided between two real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedkit.training.initial import random_vectors
from tests.ranks import launched

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"
WORLD = SCRIPTS.parent / "corpora" / "world.txt"
DIMENSION, RATE = 8, 0.05


def reference_step(
    inputs: NDArray[np.float64], outputs: NDArray[np.float64], pairs: list[tuple[int, list[int]]]
) -> None:
    """Change both matrices by the gradients of all pairs, computed pair by pair from old rows."""
    old_inputs, old_outputs = inputs.copy(), outputs.copy()
    for context, words in pairs:
        for number, word in enumerate(words):
            logit = old_inputs[context] @ old_outputs[word]
            error = RATE * ((number == 0) - 1 / (1 + np.exp(-logit)))
            inputs[context] += error * old_outputs[word]
            outputs[word] += error * old_inputs[context]


def test_two_processes_compute_what_one_computes(tmp_path: Path) -> None:
    command = launched(
        2, SCRIPTS / "shard_rows.py", WORLD, tmp_path, "--steps", 4, "--batch", 1500,
        "--dimension", DIMENSION, "--negative", 3, "--rate", RATE, "--seed", 7,
    )  # fmt: skip
    path = os.pathsep.join([str(SCRIPTS), *sys.path])  # scripts import from their own folder
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    ranks = [dict(np.load(tmp_path / f"{rank}.npz")) for rank in range(2)]

    summary = json.loads(done.stdout)
    words = sum(len(rank["inputs"]) for rank in ranks)
    inputs = random_vectors(words, DIMENSION, seed=7).astype(np.float64)
    start, outputs = inputs.copy(), np.zeros((words, DIMENSION))
    ends = [np.cumsum(rank["steps"]) for rank in ranks]
    for step in range(4):
        pairs = []
        for rank, end in zip(ranks, ends, strict=True):
            part = slice(end[step] - rank["steps"][step], end[step])
            pairs += list(zip(rank["contexts"][part], rank["words"][part], strict=True))
        reference_step(inputs, outputs, pairs)

    for number, rank in enumerate(ranks):
        np.testing.assert_allclose(rank["inputs"], inputs[number::2], atol=1e-6)
        np.testing.assert_allclose(rank["outputs"], outputs[number::2], atol=1e-6)
    changed = [(rank["inputs"] != start[number::2]).any() for number, rank in enumerate(ranks)]
    assert changed == [True, True]
    assert np.abs(outputs).max() > 1e-3
    assert summary["words"] == words
    assert summary["pairs"] == sum(rank["steps"].sum() for rank in ranks)
    assert 0 < summary["bytes_per_pair"] < 1.01 * (1 + 4) * (2 * DIMENSION * 4 + 8)
