"""Names of what can be scored, and of the methods that analogy files are scored by."""

from __future__ import annotations

from embedkit.vectors.options import PAIR_METHODS

__all__ = ["BENCHMARK_KINDS", "EVALUATION_METHODS"]

BENCHMARK_KINDS = ("analogies", "similarity", "categories")
"""Kinds of benchmark files: analogy questions, word pairs with human scores, words by category."""

EVALUATION_METHODS = ("3cosadd", "3cosmul", *PAIR_METHODS)
"""Methods of `analogy_accuracy`."""
