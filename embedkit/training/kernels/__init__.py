"""Kernels: pure functions over arrays that all compute the same training step.

`reference` is plain and obvious, `cpu` (with `simd`) is fast. What they must agree on is here.
"""

from __future__ import annotations

__all__ = ["GROUP", "LARGEST_WEIGHT"]

GROUP = 6
"""Output rows per gradient step: a word and its negatives are taken in groups of six.

Six rows by two contexts are the sums that fit the registers of AVX2.
"""

LARGEST_WEIGHT = 0.5
"""Most that the contexts of a window may weigh together in one update of an output row.

All contexts of a window push a shared negative at once. With a wide window and a high learning
rate the sum overshoots, and without a bound the vectors grow until they are infinite. At the
default settings the bound is hardly ever reached.
"""
