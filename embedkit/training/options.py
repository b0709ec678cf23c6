"""Choices of the trainer, without numeric imports."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["PRECISIONS", "ROW_TYPES", "Precision", "RowType"]

Precision = Literal["tf32", "float32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""Precision of the factors of a GPU's products: TensorFloat-32 (10 bits) on tensor cores, or all of
float32. Sums are float32."""

RowType = Literal["float32", "bfloat16"]
ROW_TYPES: tuple[RowType, ...] = get_args(RowType)
"""Storage types of the matrices on a GPU."""
