"""The oracle: gradients written by hand where a program is large or has kinks, elsewhere the complex step.

With f analytic and real on the real axis, Im f(x + ihv)/h is the derivative along v without any difference being taken,
so h may be so small that its square vanishes: Squire and Trapp 1998, Using Complex Variables to Estimate Derivatives of
Real Functions. Choices go by the real part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from suites.autograd.programs import PROGRAMS, Problem

STEP = 1e-30


class _ComplexOperations:
    """The operations on real and complex arrays."""

    exp: Any = np.exp
    log: Any = np.log
    sin: Any = np.sin
    cos: Any = np.cos
    tanh: Any = np.tanh
    where: Any = staticmethod(np.where)

    def absolute(self, x: Any) -> Any:
        return np.sign(x.real) * x

    def positive(self, x: Any) -> Any:
        return x.real > 0

    def largest(self, x: Any) -> Any:
        return x[np.argmax(x.real)]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return np.sum(x, axis=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> Sequence[Any]:
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        pieces = np.split(x[: ends[-1]] if len(ends) else x, ends[:-1])
        return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=False)]

    def number(self, x: Any) -> float:
        return float(np.real(x))

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


_OPERATIONS = _ComplexOperations()


def reference(
    program: str,
    x: np.ndarray,
    table: np.ndarray,
    targets: np.ndarray,
    tangent: np.ndarray,
    cotangent: np.ndarray,
    length: int,
    segments: int,
) -> Mapping[str, Any]:
    """f(x) and its derivatives in float64, for f from R^n to R^m.

    :param x: (n,).
    :param table: constants of the program, as ``targets``; two-dimensional, empty where there are none.
    :param tangent: (n,), what the Jacobian is multiplied by.
    :param cotangent: (m,), by which its rows are weighted; 1 where f is a scalar.
    :param length: operations of a chain, or of a deep graph.
    :param segments: pieces of which a program that has them asks to keep the inputs alone.
    :returns: ``value`` (m,), ``gradient`` (n,) of cotangent . f, and ``product`` (m,), the Jacobian times the tangent.
    """
    problem = Problem(table, targets, length, segments)
    with np.errstate(divide="ignore"):
        value = np.reshape(PROGRAMS[program](_OPERATIONS, x, problem), -1)
    if program in BY_HAND:
        gradient = cotangent[0] * BY_HAND[program](x, problem)
        if program in NOT_BY_STEPS:
            return {"value": value, "gradient": gradient, "product": np.array([gradient @ tangent])}
    else:
        gradient = np.array([cotangent @ derivative_along(program, x, problem, axis) for axis in np.eye(len(x))])
    product = derivative_along(program, x, problem, tangent)
    return {"value": value, "gradient": gradient.reshape(len(x)), "product": product}


def derivative_along(program: str, x: np.ndarray, problem: Problem, direction: np.ndarray) -> np.ndarray:
    """The derivative (m,) of an analytic program, by one complex step."""
    moved: Any = PROGRAMS[program](_OPERATIONS, x + 1j * STEP * direction, problem)
    return np.asarray(np.reshape(np.imag(moved), -1) / STEP)


def _tanh_squares(x: np.ndarray, problem: Problem) -> np.ndarray:
    y = np.tanh(problem.table @ x)
    return np.asarray(2 * problem.table.T @ (y * (1 - y**2)))


def _rosenbrock(x: np.ndarray, problem: Problem) -> np.ndarray:
    valley = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * x[:-1] * valley - 2 * (1 - x[:-1])
    gradient[1:] += 200 * valley
    return gradient


def _layers(x: np.ndarray, problem: Problem) -> np.ndarray:
    width = problem.table.shape[1]
    weights = x.reshape(-1, width, width)
    outputs = [problem.table]
    for matrix in weights:
        outputs.append(np.tanh(np.einsum("bi,ij->bj", outputs[-1], matrix, optimize=True)))
    gradient = np.empty_like(weights)
    behind = 2 * outputs[-1]
    for place in range(len(weights) - 1, -1, -1):
        inner = behind * (1 - outputs[place + 1] ** 2)
        gradient[place] = outputs[place].T @ inner
        behind = inner @ weights[place].T
    return gradient.ravel()


def _kinks(x: np.ndarray, problem: Problem) -> np.ndarray:
    gradient: np.ndarray = (x > 0) + 2.0 * np.sign(x)
    gradient[int(np.argmax(x))] += 4.0
    return gradient


BY_HAND: Mapping[str, Callable[[np.ndarray, Problem], np.ndarray]] = {
    "tanh_squares": _tanh_squares,
    "rosenbrock": _rosenbrock,
    "layers": _layers,
    "deep": lambda x, problem: np.ones(1),
    "kinks": _kinks,
    "log_of_zero": lambda x, problem: np.array([np.inf]),
    "one_over_zero": lambda x, problem: np.array([-np.inf]),
}
NOT_BY_STEPS = ("kinks", "log_of_zero", "one_over_zero", "deep")
"""Where the product is the gradient's with the tangent: there is no complex step, or it would take long."""
