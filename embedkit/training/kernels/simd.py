"""The innermost step of the CPU kernel, as LLVM vector code.

Skip-gram with shared negative samples is a small matrix product: C context rows times six output
rows, whose sums should stay in registers. Numba compiles a loop over one row well, but not this
product. So the functions below build LLVM instructions on vectors, which LLVM maps to AVX-512,
AVX2, NEON or whatever the machine has. `reference.py` does the same computation in NumPy.

The builders run when Numba compiles the kernel; `Value` objects represent values at run time.
The file is longer than others because its builders form a single function, `update_group`, and
`cpu.py` keys its cache by the contents of this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT

__all__ = ["prefetch_row", "row_lanes", "update_group"]

_LANES = 8  # of a vector of logits: one per output row; the last two are not used
_MAXIMUM_EXPONENT = 80.0  # 1 + exp(-80) is 1 in float32
_CACHE_LINE_FLOATS = 16

Value: TypeAlias = Any  # ir.Value; llvmlite has no type hints

_float, _double, _int32, _int64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)


def row_lanes() -> int:
    """Return the number of floats in the widest vector of this machine."""
    return 16 if llvm.get_host_cpu_features().get("avx512f") else 8


def _splat(builder: Value, scalar: Value, lanes: int) -> Value:
    vector = ir.VectorType(scalar.type, lanes)
    single = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, _int32(0))
    order = ir.Constant(ir.VectorType(_int32, lanes), [0] * lanes)
    return builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), order)


def _constant(vector: Value, value: float) -> Value:
    return ir.Constant(vector, [value] * vector.count)


def _declare(builder: Value, signature: Value, name: str) -> Value:
    return cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, signature, name
    )


def _call(builder: Value, name: str, *arguments: Value) -> Value:
    """Call an LLVM intrinsic whose arguments and result are vectors of the same type."""
    vector = arguments[0].type
    signature = ir.FunctionType(vector, [vector] * len(arguments))
    full_name = f"llvm.{name}.v{vector.count}f32"
    function = _declare(builder, signature, full_name)
    return builder.call(function, arguments)


def _multiply_add(builder: Value, a: Value, b: Value, c: Value) -> Value:
    return _call(builder, "fmuladd", a, b, c)


def _shuffle(builder: Value, a: Value, b: Value, order: Sequence[int]) -> Value:
    mask = ir.Constant(ir.VectorType(_int32, len(order)), list(order))
    return builder.shuffle_vector(a, b, mask)


def _sum_lanes(builder: Value, rows: list[Value]) -> Value:
    """Return a vector of the lane sums of up to eight vectors."""
    while rows[0].type.count > _LANES:
        half = rows[0].type.count // 2
        rows = [
            builder.fadd(
                _shuffle(builder, row, row, range(half)),
                _shuffle(builder, row, row, range(half, 2 * half)),
            )
            for row in rows
        ]
    rows = rows + [_constant(rows[0].type, 0.0)] * (_LANES - len(rows))
    # Three rounds of a transposition, each of which adds pairs of lanes.
    for low, high in (
        ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
        ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
        ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
    ):
        rows = [
            builder.fadd(_shuffle(builder, a, b, low), _shuffle(builder, a, b, high))
            for a, b in zip(rows[::2], rows[1::2], strict=True)
        ]
    return rows[0]


def _exp_minus(builder: Value, x: Value) -> Value:
    """Return exp(-x) for x >= 0, relative error about 2e-7: 2**n times a polynomial."""
    vector = x.type
    x = _call(builder, "minnum", x, _constant(vector, _MAXIMUM_EXPONENT))
    power = builder.fmul(x, _constant(vector, -1 / math.log(2)))
    whole = _call(builder, "rint", power)
    fraction = builder.fsub(power, whole)
    coefficients = [math.log(2) ** k / math.factorial(k) for k in range(7)]
    value = _constant(vector, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = _multiply_add(builder, value, fraction, _constant(vector, coefficient))
    integers = ir.VectorType(_int32, vector.count)
    exponent = builder.add(builder.fptosi(whole, integers), _constant(integers, 127))
    scale = builder.bitcast(builder.shl(exponent, _constant(integers, 23)), vector)
    return builder.fmul(value, scale)


def _sum(builder: Value, vector: Value) -> Value:
    kind = vector.type
    name = f"llvm.vector.reduce.fadd.v{kind.count}f32"
    function = _declare(builder, ir.FunctionType(kind.element, [kind.element, kind]), name)
    return builder.call(function, [_float(0.0), vector], fastmath=["reassoc"])


def _sum_to_double(builder: Value, vector: Value) -> Value:
    wide = builder.fpext(vector, ir.VectorType(_double, vector.type.count))
    total = builder.extract_element(wide, _int32(0))
    for lane in range(1, vector.type.count):
        total = builder.fadd(total, builder.extract_element(wide, _int32(lane)))
    return total


def _product_to_double(builder: Value, vector: Value) -> Value:
    wide = builder.fpext(vector, ir.VectorType(_double, vector.type.count))
    total = builder.extract_element(wide, _int32(0))
    for lane in range(1, vector.type.count):
        total = builder.fmul(total, builder.extract_element(wide, _int32(lane)))
    return total


class _Group:
    """Builds one step of stochastic gradient descent on C context rows and six output rows."""

    def __init__(self, context: Value, builder: Value, signature: Value, arguments: Any) -> None:
        self.builder = builder

        def data(position: int) -> Value:
            array = context.make_array(signature.args[position])(
                context, builder, arguments[position]
            )
            return array.data

        self.inputs, self.outputs = data(0), data(1)
        self.context_rows, self.context_count = data(2), arguments[3]
        self.output_rows, self.stride, self.width = data(4), arguments[5], arguments[6]
        self.labels, self.gradients = data(7), data(8)
        self.losses = data(9)
        self.lanes = row_lanes()
        self.row_vector = ir.VectorType(_float, self.lanes)
        self.logit_vector = ir.VectorType(_float, _LANES)
        self.output_pointers = [
            self.row(self.outputs, self.load(self.output_rows, _int64(k))) for k in range(GROUP)
        ]

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
        index = builder.phi(_int64)
        index.add_incoming(_int64(0), before)
        values = []
        for initial in state:
            value = builder.phi(initial.type)
            value.add_incoming(initial, before)
            values.append(value)
        end = builder.add(index, _int64(step))
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

    def logits(self, contexts: list[Value]) -> list[Value]:
        """Return the dot products of the given context rows with the six output rows."""
        zero = _constant(self.row_vector, 0.0)

        def body(index: Value, sums: list[Value]) -> list[Value]:
            rows = [self.load_vector(row, index, self.row_vector) for row in contexts]
            results = list(sums)
            for k, pointer in enumerate(self.output_pointers):
                output = self.load_vector(pointer, index, self.row_vector)
                for c, row in enumerate(rows):
                    place = c * GROUP + k
                    results[place] = _multiply_add(self.builder, row, output, sums[place])
            return results

        sums = self.loop(self.width, self.lanes, [zero] * (GROUP * len(contexts)), body)
        return [
            _sum_lanes(self.builder, sums[c * GROUP : (c + 1) * GROUP])
            for c in range(len(contexts))
        ]

    def gradient_and_loss(self, logit: Value, state: list[Value], place: Value) -> list[Value]:
        """Store rate * (label - sigmoid(logit)), and update the loss.

        The loss of a pair is max(z, 0) + log(1 + exp(-|z|)), where z is the logit, negated for
        label 1. The first terms are added; the factors 1 + exp(-|z|) are multiplied, so that one
        logarithm serves many pairs.
        """
        builder = self.builder
        vector = self.logit_vector
        zero, one = _constant(vector, 0.0), _constant(vector, 1.0)
        label, rate = (self.load_vector(self.labels, _int64(i * _LANES), vector) for i in (0, 1))
        size = _call(builder, "fabs", logit)
        tail = _exp_minus(builder, size)
        head = builder.fdiv(one, builder.fadd(one, tail))
        positive = builder.fcmp_ordered(">=", logit, zero)
        sigmoid = builder.select(positive, head, builder.fmul(tail, head))
        gradient = builder.fmul(rate, builder.fsub(label, sigmoid))
        self.store_vector(gradient, self.gradients, builder.mul(place, _int64(_LANES)))
        live = builder.fcmp_ordered(">", rate, zero)
        is_label = builder.fcmp_ordered(">", label, zero)
        wrong = builder.select(is_label, builder.fsub(zero, logit), logit)
        linear = builder.select(live, _call(builder, "maxnum", wrong, zero), zero)
        # maxnum(NaN, 0) is 0; adding logit * 0 makes the result NaN again.
        linear = _multiply_add(builder, logit, zero, linear)
        factor = builder.select(live, builder.fadd(one, tail), one)
        weight = builder.fadd(state[2], _call(builder, "fabs", gradient))
        return [builder.fadd(state[0], linear), builder.fmul(state[1], factor), weight]

    def gradients_of_all(self) -> None:
        """First pass: logits, gradients and loss of two contexts at a time; then any last one."""
        builder = self.builder

        def context_row(number: Value) -> Value:
            return self.row(self.inputs, self.load(self.context_rows, number))

        def pair(index: Value, state: list[Value]) -> list[Value]:
            places = [index, builder.add(index, _int64(1))]
            logits = self.logits([context_row(place) for place in places])
            for place, logit in zip(places, logits, strict=True):
                state = self.gradient_and_loss(logit, state, place)
            return state

        start = [_constant(self.logit_vector, value) for value in (0.0, 1.0, 0.0)]
        state = self.loop(self.context_count, 2, start, pair)
        last = builder.sub(self.context_count, _int64(1))
        odd = builder.and_(self.context_count, _int64(1))

        def single(_: Value, state: list[Value]) -> list[Value]:
            (logit,) = self.logits([context_row(last)])
            return self.gradient_and_loss(logit, state, last)

        linear, factors, weights = self.loop(odd, 1, state, single)
        self.bound_gradients(weights, linear)
        for place, value in enumerate(
            (_sum_to_double(builder, linear), _product_to_double(builder, factors))
        ):
            builder.store(value, builder.gep(self.losses, [_int64(place)]))

    def bound_gradients(self, weights: Value, errors: Value) -> None:
        """Scale all gradients of the step if their absolute sum exceeds LARGEST_WEIGHT."""
        builder = self.builder
        weight = _sum(builder, weights)
        most = _float(LARGEST_WEIGHT)
        with builder.if_then(builder.fcmp_ordered(">", weight, most), likely=False):
            sum_of_errors, largest = _sum(builder, errors), _float(LARGEST_ERROR)
            wild = builder.fcmp_ordered(">", sum_of_errors, largest)
            error = builder.select(wild, sum_of_errors, largest)
            divisor = builder.fmul(weight, error)
            factor = builder.fdiv(_float(LARGEST_WEIGHT * LARGEST_ERROR), divisor)
            scale = _splat(builder, factor, _LANES)

            def context(number: Value, _: list[Value]) -> list[Value]:
                place = builder.mul(number, _int64(_LANES))
                gradient = self.load_vector(self.gradients, place, self.logit_vector)
                self.store_vector(builder.fmul(gradient, scale), self.gradients, place)
                return []

            self.loop(self.context_count, 1, [], context)

    def update_all(self) -> None:
        """Second pass: update all context rows and output rows, one vector width at a time."""
        builder = self.builder

        def column(index: Value, _: list[Value]) -> list[Value]:
            outputs = [
                self.load_vector(pointer, index, self.row_vector)
                for pointer in self.output_pointers
            ]

            def context(number: Value, changes: list[Value]) -> list[Value]:
                pointer = self.row(self.inputs, self.load(self.context_rows, number))
                old = self.load_vector(pointer, index, self.row_vector)
                first = builder.mul(number, _int64(_LANES))
                # Two independent chains of additions, to hide the latency of each.
                chains = [old, _constant(self.row_vector, 0.0)]
                results = []
                for k, (output, change) in enumerate(zip(outputs, changes, strict=True)):
                    scalar = self.load(self.gradients, builder.add(first, _int64(k)))
                    gradient = _splat(builder, scalar, self.lanes)
                    chains[k % 2] = _multiply_add(builder, gradient, output, chains[k % 2])
                    results.append(_multiply_add(builder, gradient, old, change))
                self.store_vector(builder.fadd(*chains), pointer, index)
                return results

            zero = _constant(self.row_vector, 0.0)
            changes = self.loop(self.context_count, 1, [zero] * GROUP, context)
            for pointer, change in zip(self.output_pointers, changes, strict=True):
                # Load again: a row may occur twice among the six, and both changes count.
                current = self.load_vector(pointer, index, self.row_vector)
                self.store_vector(builder.fadd(current, change), pointer, index)
            return []

        self.loop(self.width, self.lanes, [], column)


@intrinsic
def update_group(
    typing_context: Any,
    inputs: Any,
    outputs: Any,
    context_rows: Any,
    context_count: Any,
    output_rows: Any,
    stride: Any,
    width: Any,
    labels: Any,
    gradients: Any,
    losses: Any,
) -> Any:
    """Take one step of gradient descent on *context_count* context rows and GROUP output rows.

    Args:
        inputs, outputs: the input and output matrix, float32, with rows *stride* floats apart; the
            columns from the dimension to *width*, a multiple of the vector width, are zero.
        context_rows, output_rows: int64 row numbers; GROUP of the latter.
        labels: float32, (2, 8): labels, and learning rates (0 disables an output row).
        gradients: float32, (contexts, 8), overwritten.
        losses: float64, (2,), set to a sum and a product; the loss is sum + log(product).
    """
    signature = types.void(
        inputs, outputs, context_rows, types.int64, output_rows, types.int64, types.int64,
        labels, gradients, losses,
    )  # fmt: skip

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        group = _Group(context, builder, signature, arguments)
        group.gradients_of_all()
        group.update_all()
        return context.get_dummy_value()

    return signature, build


@intrinsic
def prefetch_row(typing_context: Any, matrix: Any, row: Any, stride: Any) -> Any:
    """Prefetch a row of a float32 matrix."""
    signature = types.void(matrix, types.int64, types.int64)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [builder.mul(arguments[1], arguments[2])])
        byte_pointer = ir.IntType(8).as_pointer()
        types_of_arguments = [byte_pointer, _int32, _int32, _int32]
        signature = ir.FunctionType(ir.VoidType(), types_of_arguments)
        function = _declare(builder, signature, "llvm.prefetch.p0")
        with cgutils.for_range_slice(
            builder, _int64(0), arguments[2], _int64(_CACHE_LINE_FLOATS)
        ) as (index, _):
            line = builder.bitcast(builder.gep(place, [index]), byte_pointer)
            # Into L2, because L1 has few line-fill buffers; for reading, because prefetching for
            # writing would take the row away from threads that are updating it.
            for_reading, second_level, data_cache = _int32(0), _int32(2), _int32(1)
            builder.call(function, [line, for_reading, second_level, data_cache])
        return context.get_dummy_value()

    return signature, build
