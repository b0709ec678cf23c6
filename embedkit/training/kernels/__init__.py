"""Kernels: pure functions over arrays that all compute the same training step.

`reference` is plain and obvious, `cpu` (with `simd`) is fast. What they must agree on is here.
"""

from __future__ import annotations

__all__ = ["GROUP", "LARGEST_ERROR", "LARGEST_WEIGHT"]

GROUP = 6
"""Output rows per gradient step: a word and its negatives are taken in groups of six.

Six rows by two contexts are the sums that fit the registers of AVX2.
"""

LARGEST_WEIGHT = 0.5
"""Most that all gradients of a step, contexts by output rows, may weigh together.

A step moves each row by a weighted sum of the others. Where a word stands several times in a window
or among its negatives, as it does with few words and a wide window, the weights add up; beyond 1 a
step overshoots, the next one more so, and the vectors grow until they are infinite. At the default
settings the bound is seldom reached.
"""

LARGEST_ERROR = 20.0
"""Sum of logits on the wrong side of 0 beyond which a step that weighs too much is smaller still.

Where words are few and settings wild, steps that contradict each other make the vectors grow even
so; a step that shrinks as they grow puts an end to it.
"""
