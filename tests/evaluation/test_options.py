"""Names of benchmarks and methods."""

from __future__ import annotations

from embedkit.evaluation.analogy_ranks import METHODS
from embedkit.evaluation.options import EVALUATION_METHODS


def test_there_is_a_function_for_each_method() -> None:
    assert tuple(METHODS) == EVALUATION_METHODS
