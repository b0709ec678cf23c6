"""Rows of a matrix in Triton: their addresses, loads, and updates.

Rows are loaded from the L2 cache, never from L1, which is not coherent: a multiprocessor would keep
using its own stale copy of a frequent word.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["load_rows", "places_of", "rounded", "update_rows"]


@triton.jit
def rounded(value, word, column, slot, kind: tl.constexpr):  # type: ignore[no-untyped-def]
    """Convert to the type of the matrix, with stochastic rounding to bfloat16.

    Most updates are smaller than half a unit of bfloat16 (2^-8 of the value), so rounding to
    nearest would lose them. The random bits depend only on the row, the column and the center, so
    that lanes with the same row are rounded alike.
    """
    random = word.to(tl.uint32) * 0x9E3779B1 + (column + slot * 65599).to(tl.uint32) * 0x85EBCA77
    random = (random ^ (random >> 16)) * 0x7FEB352D
    random = (random ^ (random >> 15)) * 0x846CA68B
    bits = value.to(tl.uint32, bitcast=True) + (random >> 16)
    return (bits & 0xFFFF0000).to(tl.float32, bitcast=True).to(kind)


@triton.jit
def places_of(  # type: ignore[no-untyped-def]
    matrix, ids, tile: tl.constexpr, STRIDE: tl.constexpr, WIDTH: tl.constexpr
):
    """Return the addresses of one column tile of some rows."""
    column = tile * WIDTH + tl.arange(0, WIDTH)
    return matrix + ids.to(tl.int64)[:, None] * STRIDE + column[None, :]


@triton.jit
def load_rows(  # type: ignore[no-untyped-def]
    matrix, ids, used, tile: tl.constexpr, STRIDE: tl.constexpr, WIDTH: tl.constexpr
):
    """Load one column tile of some rows; unused lanes are zero."""
    places = places_of(matrix, ids, tile, STRIDE, WIDTH)
    return tl.load(places, mask=used[:, None], other=0.0, cache_modifier=".cg")


@triton.jit
def update_rows(  # type: ignore[no-untyped-def]
    matrix, ids, used, old, change, slot, tile: tl.constexpr, STRIDE: tl.constexpr,
    WIDTH: tl.constexpr,
):  # fmt: skip
    """Add changes to one column tile of some rows, whose values so far are *old*."""
    kind: tl.constexpr = matrix.dtype.element_ty
    places = places_of(matrix, ids, tile, STRIDE, WIDTH)
    if kind == tl.float32:
        tl.atomic_add(places, change, mask=used[:, None], sem="relaxed")
    else:
        column = tile * WIDTH + tl.arange(0, WIDTH)
        new = old.to(tl.float32) + change
        stored = rounded(new, ids[:, None], column[None, :], slot, kind)
        tl.store(places, stored, mask=used[:, None])
