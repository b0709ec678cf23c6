"""Options of the trainer, in a module that does not import NumPy or torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from embedkit.validation import check_choice

__all__ = ["ARCHITECTURES", "PRECISIONS", "ROW_TYPES", "Device", "Precision", "RowType"]

ARCHITECTURES = ("skipgram", "cbow")
"""What predicts a word: each of its contexts, or their mean."""

Precision = Literal["tf32", "float32"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""Precision of the factors of matrix products on a GPU.

*tf32*: TensorFloat-32 (10 bits of mantissa), on tensor cores. *float32*: full precision. Sums are
always float32.
"""

RowType = Literal["float32", "bfloat16"]
ROW_TYPES: tuple[RowType, ...] = get_args(RowType)
"""Storage types of the matrices on a GPU."""


@dataclass(frozen=True)
class Device:
    """Where to train, and how on a GPU.

    Attributes:
        name: "cpu", "cuda", "cuda:1" and so on, or "auto": a GPU if there is a usable one. The
            default of `embedkit train` is "auto"; in Python it is "cpu", so that a program runs in
            the same way on every machine and does not import torch, unless it asks for it.
        rows: storage type of the matrices on a GPU. bfloat16 takes half the memory and is less
            precise.
        precision: precision of the products on a GPU. tf32 is several times as fast.

    Raises:
        ConfigurationError: *rows* or *precision* is unknown.
    """

    name: str = "cpu"
    rows: RowType = "float32"
    precision: Precision = "tf32"

    def __post_init__(self) -> None:
        check_choice("row type", self.rows, ROW_TYPES)
        check_choice("precision", self.precision, PRECISIONS)
