"""The programs that are differentiated: ordinary Python, the same text for every implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from suites.autograd.operations import Operations


class Problem(NamedTuple):
    """What a program needs besides its variable, all of it constant; arrays as the implementation takes them."""

    table: Any
    targets: Any
    length: int = 0
    segments: int = 1


Program = Callable[[Operations, Any, Problem], Any]
REPEATED = np.array([0, 2, 2, 1, 0])
NEWTON_STEPS, NEWTON_TOLERANCE = 50, 1e-9
COLLATZ_STARTS = 30
CYCLE = 8
"""Operations in a turn of the chain."""


def tanh_squares(ops: Operations, x: Any, problem: Problem) -> Any:
    y = ops.tanh(problem.table @ x)
    return ops.total(y * y)


def rosenbrock(ops: Operations, x: Any, problem: Problem) -> Any:
    valley = x[1:] - x[:-1] * x[:-1]
    slope = 1.0 - x[:-1]
    return ops.total(100.0 * (valley * valley) + slope * slope)


def chain(ops: Operations, x: Any, problem: Problem) -> Any:
    """``length`` operations on scalars, one after another; the derivative stays of order one."""
    share = 1.0 / max(problem.length, 1)
    y = x[0]
    for _ in range(problem.length // CYCLE):
        y = y + ops.sin(y) * share
        y = y - ops.tanh(y) / problem.length
        y = ops.log(ops.exp(y))
    return y


def deep(ops: Operations, x: Any, problem: Problem) -> Any:
    """A graph as deep as it is large."""
    y = x[0]
    for _ in range(problem.length):
        y = y + 1.0 / problem.length
    return y


def layers(ops: Operations, x: Any, problem: Problem) -> Any:
    """Equal square layers with tanh, cut into ``segments`` of which only the inputs need to be kept."""
    width = problem.table.shape[1]
    count = x.shape[0] // width**2
    weights = ops.split(x, [(width, width)] * count)

    def segment(h: Any, *matrices: Any) -> Any:
        for matrix in matrices:
            h = ops.tanh(h @ matrix)
        return h

    h = problem.table
    each = -(-count // max(problem.segments, 1))
    for start in range(0, count, each):
        h = ops.checkpoint(segment, h, *weights[start : start + each])
    return ops.total(h * h)


def digits(ops: Operations, x: Any, problem: Problem) -> Any:
    """Mean cross-entropy of a network with one hidden layer; ``targets`` are one-hot."""
    features, classes = problem.table.shape[1], problem.targets.shape[1]
    hidden = (x.shape[0] - classes) // (features + classes + 1)
    w, b, v, c = ops.split(x, [(features, hidden), (hidden,), (hidden, classes), (classes,)])
    logits = ops.tanh(problem.table @ w + b) @ v + c
    losses = ops.log(ops.total(ops.exp(logits), axis=1)) - ops.total(logits * problem.targets, axis=1)
    return ops.total(losses) / problem.table.shape[0]


def logistic(ops: Operations, x: Any, problem: Problem) -> Any:
    """Mean logistic loss with a small penalty; ``targets`` are signs."""
    margins = problem.targets * (problem.table @ x)
    return ops.total(ops.log(1.0 + ops.exp(-margins))) / problem.table.shape[0] + 0.005 * ops.total(x * x)


def collatz(ops: Operations, x: Any, problem: Problem) -> Any:
    """As many steps as Collatz's sequence of a whole number taken from x has, of the two kinds that it has."""
    y = x[0]
    number = 1 + int(abs(ops.number(y)) * COLLATZ_STARTS) % COLLATZ_STARTS
    while number != 1:
        if number % 2:
            number, y = 3 * number + 1, ops.tanh(y) + x[0]
        else:
            number, y = number // 2, y + 0.1 * ops.sin(y)
    return y


def newton(ops: Operations, x: Any, problem: Problem) -> Any:
    """Newton's steps towards the root of y^3 + exp(x_1) y = x_0, until they are small."""
    slope, y = ops.exp(x[1]), x[0]
    for _ in range(NEWTON_STEPS):
        step = (y * y * y + slope * y - x[0]) / (3.0 * (y * y) + slope)
        y = y - step
        if abs(ops.number(step)) < NEWTON_TOLERANCE:
            break
    return y


def tree(ops: Operations, x: Any, problem: Problem) -> Any:
    """A recursion whose cuts, ends and operations depend on the numbers."""

    def grow(low: int, high: int) -> Any:
        first = ops.number(x[low])
        if high - low == 1 or abs(first) < 0.2:
            return x[low]
        middle = low + 1 + int(abs(first) * 10) % (high - low - 1) if high - low > 2 else low + 1
        left, right = grow(low, middle), grow(middle, high)
        if ops.number(left) > ops.number(right):
            return ops.tanh(left) * right + left
        return left - 0.5 * ops.sin(right)

    return grow(0, x.shape[0])


def layer(ops: Operations, x: Any, problem: Problem) -> Any:
    """A vector of as many numbers as the table has rows."""
    return ops.tanh(problem.table @ x) * x[0]


def shared(ops: Operations, x: Any, problem: Problem) -> Any:
    """One value, and what was made of it, used several times."""
    y = x * x
    z = y * y + y
    return ops.total(z * y + x)


def unused(ops: Operations, x: Any, problem: Problem) -> Any:
    return ops.exp(x[0])


def broadcast(ops: Operations, x: Any, problem: Problem) -> Any:
    return ops.total(ops.sin(problem.table * x + x[0]) * x[-1])


def gather(ops: Operations, x: Any, problem: Problem) -> Any:
    """Repeated indices, and a choice between two branches."""
    z = x[REPEATED]
    return ops.total(ops.where(ops.positive(z), ops.exp(z), z * z / (2.0 + z * z)))


def powers(ops: Operations, x: Any, problem: Problem) -> Any:
    square = x**2
    return ops.total(x**3 - (square + 1.0) ** 0.5 + ops.cos(x) / (square + 2.0) + 1.0 / (ops.log(square + 2.0) + 1.0))


def kinks(ops: Operations, x: Any, problem: Problem) -> Any:
    rectified = ops.where(ops.positive(x), x, 0.0)
    return ops.total(rectified) + 2.0 * ops.total(ops.absolute(x)) + 4.0 * ops.largest(x)


def log_of_zero(ops: Operations, x: Any, problem: Problem) -> Any:
    return ops.log(x[0])


def one_over_zero(ops: Operations, x: Any, problem: Problem) -> Any:
    return 1.0 / x[0]


PROGRAMS: Mapping[str, Program] = {
    program.__name__: program
    for program in (
        tanh_squares,
        rosenbrock,
        chain,
        deep,
        layers,
        digits,
        logistic,
        collatz,
        newton,
        tree,
        layer,
        shared,
        unused,
        broadcast,
        gather,
        powers,
        kinks,
        log_of_zero,
        one_over_zero,
    )
}
DEPENDING_ON_DATA = ("collatz", "newton", "tree")
