"""The innermost step of the CPU kernel, as LLVM vector code.

Skip-gram with shared negative samples is a small matrix product: C context rows times six output
rows, whose sums should stay in registers. Numba compiles a loop over one row well, but not this
product. So the functions below build LLVM instructions on vectors, which LLVM maps to AVX-512,
AVX2, NEON or whatever the machine has. `reference.py` does the same computation in NumPy.

The file is longer than others because its builders form a single function, `update_group`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from embedkit.training.kernels import GROUP, LARGEST_ERROR, LARGEST_WEIGHT
from embedkit.training.kernels.simd_builder import (
    RowBuilder,
    Value,
    call,
    constant,
    declare,
    float32,
    float64,
    int32,
    int64,
    multiply_add,
    splat,
)

__all__ = ["update_group"]

_LANES = 8  # of a vector of logits: one per output row; the last two are not used
_MAXIMUM_EXPONENT = 80.0  # 1 + exp(-80) is 1 in float32


def _shuffle(builder: Value, a: Value, b: Value, order: Sequence[int]) -> Value:
    mask = ir.Constant(ir.VectorType(int32, len(order)), list(order))
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
    rows = rows + [constant(rows[0].type, 0.0)] * (_LANES - len(rows))
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
    x = call(builder, "minnum", x, constant(vector, _MAXIMUM_EXPONENT))
    power = builder.fmul(x, constant(vector, -1 / math.log(2)))
    whole = call(builder, "rint", power)
    fraction = builder.fsub(power, whole)
    coefficients = [math.log(2) ** k / math.factorial(k) for k in range(7)]
    value = constant(vector, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = multiply_add(builder, value, fraction, constant(vector, coefficient))
    integers = ir.VectorType(int32, vector.count)
    exponent = builder.add(builder.fptosi(whole, integers), constant(integers, 127))
    scale = builder.bitcast(builder.shl(exponent, constant(integers, 23)), vector)
    return builder.fmul(value, scale)


def _sum(builder: Value, vector: Value) -> Value:
    kind = vector.type
    name = f"llvm.vector.reduce.fadd.v{kind.count}f32"
    function = declare(builder, ir.FunctionType(kind.element, [kind.element, kind]), name)
    return builder.call(function, [float32(0.0), vector], fastmath=["reassoc"])


def _sum_tofloat64(builder: Value, vector: Value) -> Value:
    wide = builder.fpext(vector, ir.VectorType(float64, vector.type.count))
    total = builder.extract_element(wide, int32(0))
    for lane in range(1, vector.type.count):
        total = builder.fadd(total, builder.extract_element(wide, int32(lane)))
    return total


def _product_tofloat64(builder: Value, vector: Value) -> Value:
    wide = builder.fpext(vector, ir.VectorType(float64, vector.type.count))
    total = builder.extract_element(wide, int32(0))
    for lane in range(1, vector.type.count):
        total = builder.fmul(total, builder.extract_element(wide, int32(lane)))
    return total


class _Group(RowBuilder):
    """Builds one step of stochastic gradient descent on C context rows and six output rows."""

    def __init__(self, context: Value, builder: Value, signature: Value, arguments: Any) -> None:
        super().__init__(context, builder, signature, arguments)
        self.inputs, self.outputs = self.data(0), self.data(1)
        self.context_rows, self.context_count = self.data(2), arguments[3]
        self.output_rows, self.stride, self.width = self.data(4), arguments[5], arguments[6]
        self.labels, self.gradients = self.data(7), self.data(8)
        self.losses = self.data(9)
        self.logit_vector = ir.VectorType(float32, _LANES)
        self.output_pointers = [
            self.row(self.outputs, self.load(self.output_rows, int64(k))) for k in range(GROUP)
        ]

    def logits(self, contexts: list[Value]) -> list[Value]:
        """Return the dot products of the given context rows with the six output rows."""
        zero = constant(self.row_vector, 0.0)

        def body(index: Value, sums: list[Value]) -> list[Value]:
            rows = [self.load_vector(row, index, self.row_vector) for row in contexts]
            results = list(sums)
            for k, pointer in enumerate(self.output_pointers):
                output = self.load_vector(pointer, index, self.row_vector)
                for c, row in enumerate(rows):
                    place = c * GROUP + k
                    results[place] = multiply_add(self.builder, row, output, sums[place])
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
        zero, one = constant(vector, 0.0), constant(vector, 1.0)
        label, rate = (self.load_vector(self.labels, int64(i * _LANES), vector) for i in (0, 1))
        size = call(builder, "fabs", logit)
        tail = _exp_minus(builder, size)
        head = builder.fdiv(one, builder.fadd(one, tail))
        positive = builder.fcmp_ordered(">=", logit, zero)
        sigmoid = builder.select(positive, head, builder.fmul(tail, head))
        gradient = builder.fmul(rate, builder.fsub(label, sigmoid))
        self.store_vector(gradient, self.gradients, builder.mul(place, int64(_LANES)))
        live = builder.fcmp_ordered(">", rate, zero)
        is_label = builder.fcmp_ordered(">", label, zero)
        wrong = builder.select(is_label, builder.fsub(zero, logit), logit)
        linear = builder.select(live, call(builder, "maxnum", wrong, zero), zero)
        # maxnum(NaN, 0) is 0; adding logit * 0 makes the result NaN again.
        linear = multiply_add(builder, logit, zero, linear)
        factor = builder.select(live, builder.fadd(one, tail), one)
        weight = builder.fadd(state[2], call(builder, "fabs", gradient))
        return [builder.fadd(state[0], linear), builder.fmul(state[1], factor), weight]

    def gradients_of_all(self) -> None:
        """First pass: logits, gradients and loss of two contexts at a time; then any last one."""
        builder = self.builder

        def context_row(number: Value) -> Value:
            return self.row(self.inputs, self.load(self.context_rows, number))

        def pair(index: Value, state: list[Value]) -> list[Value]:
            places = [index, builder.add(index, int64(1))]
            logits = self.logits([context_row(place) for place in places])
            for place, logit in zip(places, logits, strict=True):
                state = self.gradient_and_loss(logit, state, place)
            return state

        start = [constant(self.logit_vector, value) for value in (0.0, 1.0, 0.0)]
        state = self.loop(self.context_count, 2, start, pair)
        last = builder.sub(self.context_count, int64(1))
        odd = builder.and_(self.context_count, int64(1))

        def single(_: Value, state: list[Value]) -> list[Value]:
            (logit,) = self.logits([context_row(last)])
            return self.gradient_and_loss(logit, state, last)

        linear, factors, weights = self.loop(odd, 1, state, single)
        self.bound_gradients(weights, linear)
        for place, value in enumerate(
            (_sum_tofloat64(builder, linear), _product_tofloat64(builder, factors))
        ):
            builder.store(value, builder.gep(self.losses, [int64(place)]))

    def bound_gradients(self, weights: Value, errors: Value) -> None:
        """Scale all gradients of the step if their absolute sum exceeds LARGEST_WEIGHT."""
        builder = self.builder
        weight = _sum(builder, weights)
        most = float32(LARGEST_WEIGHT)
        with builder.if_then(builder.fcmp_ordered(">", weight, most), likely=False):
            sum_of_errors, largest = _sum(builder, errors), float32(LARGEST_ERROR)
            wild = builder.fcmp_ordered(">", sum_of_errors, largest)
            error = builder.select(wild, sum_of_errors, largest)
            divisor = builder.fmul(weight, error)
            factor = builder.fdiv(float32(LARGEST_WEIGHT * LARGEST_ERROR), divisor)
            scale = splat(builder, factor, _LANES)

            def context(number: Value, _: list[Value]) -> list[Value]:
                place = builder.mul(number, int64(_LANES))
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
                first = builder.mul(number, int64(_LANES))
                # Two independent chains of additions, to hide the latency of each.
                chains = [old, constant(self.row_vector, 0.0)]
                results = []
                for k, (output, change) in enumerate(zip(outputs, changes, strict=True)):
                    scalar = self.load(self.gradients, builder.add(first, int64(k)))
                    gradient = splat(builder, scalar, self.lanes)
                    chains[k % 2] = multiply_add(builder, gradient, output, chains[k % 2])
                    results.append(multiply_add(builder, gradient, old, change))
                self.store_vector(builder.fadd(*chains), pointer, index)
                return results

            zero = constant(self.row_vector, 0.0)
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
