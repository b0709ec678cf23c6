"""What the vector code of the CPU kernel is built of: rows, vectors and loops in LLVM's terms.

The builders run when Numba compiles the kernel; `Value` objects stand for values at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

__all__ = [
    "RowBuilder",
    "Value",
    "call",
    "constant",
    "declare",
    "float32",
    "float64",
    "int32",
    "int64",
    "multiply_add",
    "row_lanes",
    "splat",
]

Value: TypeAlias = Any  # ir.Value; llvmlite has no type hints

float32, float64, int32, int64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)


def row_lanes() -> int:
    """Return the number of floats in the widest vector of this machine."""
    return 16 if llvm.get_host_cpu_features().get("avx512f") else 8


def splat(builder: Value, scalar: Value, lanes: int) -> Value:
    """Return a vector whose lanes all hold a scalar."""
    vector = ir.VectorType(scalar.type, lanes)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, int32(0))
    order = ir.Constant(ir.VectorType(int32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), order)


def constant(vector: Value, value: float) -> Value:
    """Return a constant vector of a type whose lanes all hold a value."""
    return ir.Constant(vector, [value] * vector.count)


def declare(builder: Value, signature: Value, name: str) -> Value:
    """Return the function called *name* in the module, declared at first use."""
    return cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, signature, name
    )


def call(builder: Value, name: str, *arguments: Value) -> Value:
    """Call an LLVM intrinsic whose arguments and result are vectors of the same type."""
    vector = arguments[0].type
    signature = ir.FunctionType(vector, [vector] * len(arguments))
    full_name = f"llvm.{name}.v{vector.count}f32"
    function = declare(builder, signature, full_name)
    return builder.call(function, arguments)


def multiply_add(builder: Value, a: Value, b: Value, c: Value) -> Value:
    """Return a * b + c of vectors."""
    return call(builder, "fmuladd", a, b, c)


class RowBuilder:
    """Builds code that reads and writes rows of matrices.

    Args:
        context, builder, signature, arguments: as Numba passes them to the code of an intrinsic.

    Attributes:
        stride: the number of floats between two rows of a matrix; set by subclasses.
    """

    stride: Value

    def __init__(self, context: Value, builder: Value, signature: Value, arguments: Any) -> None:
        self.builder = builder
        self._context, self._signature, self._arguments = context, signature, arguments
        self.lanes = row_lanes()
        self.row_vector = ir.VectorType(float32, self.lanes)

    def data(self, position: int) -> Value:
        """Return the pointer to the numbers of an argument that is an array."""
        array = self._context.make_array(self._signature.args[position])(
            self._context, self.builder, self._arguments[position]
        )
        return array.data

    def load(self, pointer: Value, index: Value) -> Value:
        return self.builder.load(self.builder.gep(pointer, [index]))

    def load_vector(self, pointer: Value, index: Value, vector: Value) -> Value:
        place = self.builder.gep(pointer, [index])
        return self.builder.load(self.builder.bitcast(place, vector.as_pointer()), align=4)

    def store_vector(self, value: Value, pointer: Value, index: Value) -> None:
        place = self.builder.gep(pointer, [index])
        self.builder.store(value, self.builder.bitcast(place, value.type.as_pointer()), align=4)

    def row(self, matrix: Value, number: Value) -> Value:
        return self.builder.gep(matrix, [self.builder.mul(number, self.stride)])

    def loop(
        self,
        stop: Value,
        step: int,
        state: list[Value],
        body: Callable[[Value, list[Value]], list[Value]],
    ) -> list[Value]:
        """Build `for index in range(0, stop, step): state = body(index, state)`."""
        builder = self.builder
        before = builder.block
        head, inside, after = (builder.append_basic_block(n) for n in ("head", "body", "after"))
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(int64)
        index.add_incoming(int64(0), before)
        values = []
        for initial in state:
            value = builder.phi(initial.type)
            value.add_incoming(initial, before)
            values.append(value)
        end = builder.add(index, int64(step))
        builder.cbranch(builder.icmp_signed("<=", end, stop), inside, after)
        builder.position_at_end(inside)
        results = body(index, values)
        last = builder.block
        builder.branch(head)
        index.add_incoming(end, last)
        for value, result in zip(values, results, strict=True):
            value.add_incoming(result, last)
        builder.position_at_end(after)
        return values
