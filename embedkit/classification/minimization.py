"""Minimize a convex loss of scores with a penalty, by L-BFGS (Nocedal and Wright 2006, 7.2).

A point is given by weights of n texts. Its inner product with another is the sum of the products of
the weights of the one and the *image* of the other, so both are kept and combined alike. The image
of a step is known before it is taken: a line search costs no more than evaluating the loss.

SciPy's L-BFGS has no such inner product. It would work on the parameters of all terms, of which
there are some ten times more than texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Point", "minimize"]

Matrix = NDArray[np.float32]

_MAX_STEPS = 200
_PAST_STEPS = 8
_FLAT = 0.5  # a line search ends when the slope has fallen to this share
_MAX_TRIALS = 20
_SMALL = 1e-4  # a loss that the bias alone can bring to 0, at infinity, is not followed further


class _Loss(Protocol):
    def image(self, weights: Matrix) -> Matrix: ...
    def loss(self, scores: Matrix) -> float: ...
    def slopes(self, scores: Matrix) -> Matrix: ...


@dataclass(frozen=True)
class Point:
    """A point, or a difference of points.

    Attributes:
        weights: of the texts, float32 (n, K).
        image: of the weights, float32 (n, K).
        bias: float32 (K,).
    """

    weights: Matrix
    image: Matrix
    bias: Matrix

    def dot(self, other: Point) -> float:
        """Return the inner product."""
        return float(np.vdot(self.weights, other.image) + np.vdot(self.bias, other.bias))

    def plus(self, factor: float, other: Point) -> Point:
        """Return this plus *factor* times the other."""
        scalar = np.float32(factor)
        return Point(
            self.weights + scalar * other.weights,
            self.image + scalar * other.image,
            self.bias + scalar * other.bias,
        )

    def times(self, factor: float) -> Point:
        """Return *factor* times this."""
        scalar = np.float32(factor)
        return Point(self.weights * scalar, self.image * scalar, self.bias * scalar)


def minimize(problem: _Loss, start: Point, penalty: np.float32, tolerance: float) -> Point:
    """Return the point with the lowest loss plus *penalty* / 2 times its squared length.

    It ends when a step reduces this, or 0.0001 if it is smaller, by a smaller share than
    *tolerance*.

    The bias belongs to the point, but not to the length that is penalized.
    """
    point = start
    value = _value(problem, point, penalty)
    gradient = _gradient(problem, point, penalty)
    past: list[tuple[Point, Point, float]] = []
    for _ in range(_MAX_STEPS):
        direction = _direction(gradient, past)
        slope = gradient.dot(direction)
        if not slope < 0:
            break  # the minimum, as far as float32 goes
        length = _step_length(problem, point, direction, slope, penalty)
        step = direction.times(length)
        moved = point.plus(1, step)
        lower = _value(problem, moved, penalty)
        if not lower < value:
            break
        done = value - lower <= tolerance * max(value, _SMALL)
        point, value = moved, lower
        if done:
            break
        after = _gradient(problem, point, penalty)
        change = after.plus(-1, gradient)
        gradient = after
        if (curvature := change.dot(step)) > 0 and change.dot(change) > 0:
            past = [*past[1 - _PAST_STEPS :], (step, change, curvature)]
    return point


def _value(problem: _Loss, point: Point, penalty: np.float32) -> float:
    length = float(np.vdot(point.weights, point.image))
    return problem.loss(point.image + point.bias) + float(penalty) / 2 * length


def _gradient(problem: _Loss, point: Point, penalty: np.float32) -> Point:
    errors = problem.slopes(point.image + point.bias)
    return Point(
        errors + penalty * point.weights,
        problem.image(errors) + penalty * point.image,
        errors.sum(axis=0),
    )


def _direction(gradient: Point, past: list[tuple[Point, Point, float]]) -> Point:
    """Return the quasi-Newton direction: the two loops of L-BFGS."""
    found = gradient
    coefficients = []
    for step, change, curvature in reversed(past):
        coefficient = step.dot(found) / curvature
        coefficients.append(coefficient)
        found = found.plus(-coefficient, change)
    if past:
        _, change, curvature = past[-1]
        found = found.times(curvature / change.dot(change))
    for (step, change, curvature), coefficient in zip(past, reversed(coefficients), strict=True):
        found = found.plus(coefficient - change.dot(found) / curvature, step)
    return found.times(-1)


def _step_length(
    problem: _Loss, point: Point, direction: Point, slope: float, penalty: np.float32
) -> float:
    """Return a step length at which the slope is nearly 0, by bisection and secants."""
    scores, ahead = point.image + point.bias, direction.image + direction.bias
    linear = float(np.vdot(point.weights, direction.image))
    square = float(np.vdot(direction.weights, direction.image))
    low, high, low_slope, high_slope, length = 0.0, np.inf, slope, np.inf, 1.0
    for _ in range(_MAX_TRIALS):
        errors = problem.slopes(scores + np.float32(length) * ahead)
        here = float(np.vdot(errors, ahead)) + float(penalty) * (linear + length * square)
        if abs(here) <= _FLAT * abs(slope):
            break
        if here < 0:
            low, low_slope = length, here
        else:
            high, high_slope = length, here
        if high == np.inf:
            length *= 4
        else:
            secant = low - low_slope * (high - low) / (high_slope - low_slope)
            length = min(max(secant, low + 0.1 * (high - low)), high - 0.1 * (high - low))
    return length
