"""Sums over rows of the CPU kernel, as LLVM vector code, and prefetching of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from embedkit.training.kernels.simd_builder import (
    RowBuilder,
    Value,
    constant,
    declare,
    int32,
    int64,
    splat,
)

__all__ = ["add_change", "mean_of_rows", "prefetch_row"]

_CACHE_LINE_FLOATS = 16
_BLOCKS = (7, 4, 2, 1)  # vectors of a row that are summed at a time, in registers


class _Rows(RowBuilder):
    """Builds loops over the columns of several rows, a block of vectors at a time.

    The arguments of the intrinsic are: matrix, numbers of rows, first, last, width, scale, pair.
    """

    def __init__(self, context: Value, builder: Value, signature: Value, arguments: Any) -> None:
        super().__init__(context, builder, signature, arguments)
        self.matrix, self.numbers, self.pair = self.data(0), self.data(1), self.data(6)
        self.first, self.width = arguments[2], arguments[4]
        self.count = builder.sub(arguments[3], arguments[2])
        # The row length of a matrix: of its two axes, the second one.
        self.stride = self.columns(0)
        self.pair_stride = self.columns(6)
        self.scale = arguments[5]

    def columns(self, position: int) -> Value:
        """Return the number of columns of an argument that is a matrix."""
        array = self._context.make_array(self._signature.args[position])(
            self._context, self.builder, self._arguments[position]
        )
        return cgutils.unpack_tuple(self.builder, array.shape)[1]  # type: ignore[no-untyped-call]

    def source(self, index: Value) -> Value:
        """Return the pointer to a row by its place among the numbers."""
        number = self.load(self.numbers, self.builder.add(self.first, index))
        if number.type != int64:
            number = self.builder.sext(number, int64)
        return self.row(self.matrix, number)

    def blocks(self, build: Callable[[list[Value]], None]) -> None:
        """Build loops over blocks of columns: large blocks, then smaller ones for the rest."""
        builder = self.builder
        start = int64(0)
        for size in _BLOCKS:
            block = size * self.lanes
            rest = builder.sub(self.width, start)
            first = start

            def body(
                index: Value, _: list[Value], size: int = size, first: Value = first
            ) -> list[Value]:
                column = builder.add(first, index)
                build([builder.add(column, int64(n * self.lanes)) for n in range(size)])
                return []

            self.loop(rest, block, [], body)
            whole = builder.mul(builder.sdiv(rest, int64(block)), int64(block))
            start = builder.add(start, whole)

    def mean(self) -> None:
        """Store the mean of the rows in both rows of the pair."""
        builder = self.builder
        scale = splat(builder, self.scale, self.lanes)

        def build(columns: list[Value]) -> None:
            def add(index: Value, sums: list[Value]) -> list[Value]:
                row = self.source(index)
                return [
                    builder.fadd(total, self.load_vector(row, column, self.row_vector))
                    for total, column in zip(sums, columns, strict=True)
                ]

            zero = constant(self.row_vector, 0.0)
            for total, column in zip(
                self.loop(self.count, 1, [zero] * len(columns), add), columns, strict=True
            ):
                value = builder.fmul(total, scale)
                self.store_vector(value, self.pair, column)
                self.store_vector(value, self.pair, builder.add(column, self.pair_stride))

        self.blocks(build)

    def add(self) -> None:
        """Add the difference of the pair, times the scale, to each row."""
        builder = self.builder
        scale = splat(builder, self.scale, self.lanes)

        def build(columns: list[Value]) -> None:
            changes = [
                builder.fmul(
                    builder.fsub(
                        self.load_vector(self.pair, column, self.row_vector),
                        self.load_vector(
                            self.pair, builder.add(column, self.pair_stride), self.row_vector
                        ),
                    ),
                    scale,
                )
                for column in columns
            ]

            def change(index: Value, _: list[Value]) -> list[Value]:
                row = self.source(index)
                for column, value in zip(columns, changes, strict=True):
                    old = self.load_vector(row, column, self.row_vector)
                    self.store_vector(builder.fadd(old, value), row, column)
                return []

            self.loop(self.count, 1, [], change)

        self.blocks(build)


def _over_rows(matrix: Any, numbers: Any, pair: Any, loop: Callable[[_Rows], None]) -> Any:
    """Return the signature and the code of an intrinsic that *loop* builds."""
    signature = types.void(
        matrix, numbers, types.int64, types.int64, types.int64, types.float32, pair
    )

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loop(_Rows(context, builder, signature, arguments))
        return context.get_dummy_value()

    return signature, build


@intrinsic
def mean_of_rows(
    typing_context: Any,
    matrix: Any,
    numbers: Any,
    first: Any,
    last: Any,
    width: Any,
    scale: Any,
    pair: Any,
) -> Any:
    """Store the sum of rows times *scale* in both rows of a pair.

    Args:
        matrix: float32, (rows, columns).
        numbers: int32 or int64; the rows are ``matrix[numbers[first:last]]``.
        first, last: places in *numbers*.
        width: number of columns, a multiple of the vector width.
        scale: float32.
        pair: float32, (2, columns), overwritten.
    """
    return _over_rows(matrix, numbers, pair, _Rows.mean)


@intrinsic
def add_change(
    typing_context: Any,
    matrix: Any,
    numbers: Any,
    first: Any,
    last: Any,
    width: Any,
    scale: Any,
    pair: Any,
) -> Any:
    """Add the first row of a pair minus the second, times *scale*, to rows; see `mean_of_rows`."""
    return _over_rows(matrix, numbers, pair, _Rows.add)


@intrinsic
def prefetch_row(typing_context: Any, matrix: Any, row: Any, stride: Any) -> Any:
    """Prefetch a row of a float32 matrix."""
    signature = types.void(matrix, types.int64, types.int64)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [builder.mul(arguments[1], arguments[2])])
        byte_pointer = ir.IntType(8).as_pointer()
        types_of_arguments = [byte_pointer, int32, int32, int32]
        signature = ir.FunctionType(ir.VoidType(), types_of_arguments)
        function = declare(builder, signature, "llvm.prefetch.p0")
        with cgutils.for_range_slice(
            builder, int64(0), arguments[2], int64(_CACHE_LINE_FLOATS)
        ) as (index, _):
            line = builder.bitcast(builder.gep(place, [index]), byte_pointer)
            # Into L2, because L1 has few line-fill buffers; for reading, because prefetching for
            # writing would take the row away from threads that are updating it.
            for_reading, second_level, data_cache = int32(0), int32(2), int32(1)
            builder.call(function, [line, for_reading, second_level, data_cache])
        return context.get_dummy_value()

    return signature, build
