"""Training kernels: functions over arrays that all compute the same training step.

`reference` is simple and slow; `cpu` (with `simd`) and `cuda` are fast. This module holds the
constants that they share.
"""

from __future__ import annotations

__all__ = ["GROUP", "LARGEST_ERROR", "LARGEST_WEIGHT"]

GROUP = 6
"""Output rows per gradient step: the center and its negative samples, six at a time.

The sums of six output rows and two context rows fit into the registers of AVX2.
"""

LARGEST_WEIGHT = 0.5
"""Upper bound of the sum of the absolute gradients of the logits in one step.

A step adds to each row a sum of the others, weighted with the gradients of the logits. If a word
occurs several times in a window or among the negative samples, as happens with a small vocabulary
and a wide window, its weights add up. If they exceed 1, the step overshoots, the next one even
more, and the vectors diverge. With the default settings the bound is rarely reached.
"""

LARGEST_ERROR = 20.0
"""Sum of the logits of wrong sign above which a bounded step is scaled down further.

With a small vocabulary and extreme settings, contradictory steps can make the vectors grow in spite
of LARGEST_WEIGHT. Steps that shrink as the vectors grow prevent that.
"""
