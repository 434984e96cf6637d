"""A tape of single numbers in plain Python, after Karpathy's micrograd: one object for each operation on floats.

Arrays are NumPy arrays of such objects; NumPy does the indexing and broadcasting and calls the objects' operators.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.autograd.plain import pieces_of


class Scalar:
    """A number with the numbers that it was made of and its derivative by each of them."""

    __slots__ = ("partials", "sources", "value")

    def __init__(self, value: float, sources: tuple[Scalar, ...] = (), partials: tuple[float, ...] = ()) -> None:
        self.value, self.sources, self.partials = value, sources, partials

    shape: tuple[int, ...] = ()

    def __add__(self, other: Any) -> Scalar:
        if type(other) is Scalar:
            return Scalar(self.value + other.value, (self, other), (1.0, 1.0))
        return Scalar(self.value + other, (self,), (1.0,))

    __radd__ = __add__

    def __neg__(self) -> Scalar:
        return Scalar(-self.value, (self,), (-1.0,))

    def __sub__(self, other: Any) -> Scalar:
        if type(other) is Scalar:
            return Scalar(self.value - other.value, (self, other), (1.0, -1.0))
        return Scalar(self.value - other, (self,), (1.0,))

    def __rsub__(self, other: Any) -> Scalar:
        return Scalar(other - self.value, (self,), (-1.0,))

    def __mul__(self, other: Any) -> Scalar:
        if type(other) is Scalar:
            return Scalar(self.value * other.value, (self, other), (other.value, self.value))
        return Scalar(self.value * other, (self,), (other,))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Scalar:
        if type(other) is Scalar:
            quotient = divided(self.value, other.value)
            return Scalar(quotient, (self, other), (divided(1.0, other.value), -divided(quotient, other.value)))
        return Scalar(divided(self.value, other), (self,), (divided(1.0, other),))

    def __rtruediv__(self, other: Any) -> Scalar:
        quotient = divided(other, self.value)
        return Scalar(quotient, (self,), (-divided(quotient, self.value),))

    def __pow__(self, exponent: float) -> Scalar:
        return Scalar(self.value**exponent, (self,), (exponent * self.value ** (exponent - 1),))


def divided(a: float, b: float) -> float:
    """a / b as IEEE 754 has it, where Python raises."""
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _logarithm(x: float) -> float:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _exponential(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _elementwise(function: Callable[[float], float], derivative: Callable[[float, float], float]) -> Any:
    """``function`` of floats and of scalars, for whole arrays; the derivative is given x and the function's value."""

    def apply(x: Any) -> Any:
        if type(x) is not Scalar:
            return function(x)
        value = function(x.value)
        return Scalar(value, (x,), (derivative(x.value, value),))

    whole = np.frompyfunc(apply, 1, 1)
    return lambda x: apply(x) if type(x) in (Scalar, float) else whole(x)


class ScalarOperations:
    """On arrays of floats as well, which is how a value without a gradient is computed."""

    exp: Any = staticmethod(_elementwise(_exponential, lambda x, y: y))
    log: Any = staticmethod(_elementwise(_logarithm, lambda x, y: divided(1.0, x)))
    sin: Any = staticmethod(_elementwise(math.sin, lambda x, y: math.cos(x)))
    cos: Any = staticmethod(_elementwise(math.cos, lambda x, y: -math.sin(x)))
    tanh: Any = staticmethod(_elementwise(math.tanh, lambda x, y: 1.0 - y * y))
    absolute: Any = staticmethod(_elementwise(abs, lambda x, y: float((x > 0) - (x < 0))))
    where: Any = staticmethod(np.where)

    def positive(self, x: Any) -> Any:
        return _numbers(x) > 0

    def largest(self, x: Any) -> Any:
        return x[_numbers(x).argmax()]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return np.add.reduce(x, axis=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        return [x[start:stop].reshape(shape) for start, stop, shape in pieces_of(shapes)]

    def number(self, x: Any) -> float:
        return x.value if type(x) is Scalar else float(x)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


SCALAR = ScalarOperations()


def leaves(x: np.ndarray) -> np.ndarray:
    """The numbers of x as scalars of a new tape, in an array of objects."""
    result = np.empty(x.shape, dtype=object)
    result[:] = [Scalar(value) for value in x.tolist()]
    return result


def value(run: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """run(x) on floats, with nothing recorded."""
    try:
        outputs = run(x.astype(object))
    except ZeroDivisionError:  # which scalars of the tape do as IEEE 754 has it
        outputs = np.asarray(run(leaves(x)), dtype=object)
        outputs = _numbers(outputs)
    return np.asarray(outputs, dtype=np.float64).reshape(-1)


def gradient(run: Callable[[Any], Any], x: np.ndarray, cotangent: np.ndarray) -> list[float]:
    """The gradient of cotangent . run(x), by one pass from the outputs back to x."""
    variables = leaves(x)
    outputs = np.reshape(np.asarray(run(variables), dtype=object), -1)
    gradients: dict[Scalar, float] = {}
    for output, seed in zip(outputs, cotangent.tolist(), strict=True):
        if type(output) is Scalar:
            gradients[output] = gradients.get(output, 0.0) + seed
    for scalar in consumers_first(list(gradients)):
        arriving = gradients[scalar]
        for source, partial in zip(scalar.sources, scalar.partials, strict=True):
            gradients[source] = gradients.get(source, 0.0) + arriving * partial
    return [gradients.get(variable, 0.0) for variable in variables]


def consumers_first(outputs: list[Scalar]) -> list[Scalar]:
    """Everything that ``outputs`` were made of, each after all that was made of it; by a stack, at any depth."""
    uses: dict[Scalar, int] = dict.fromkeys(outputs, 0)
    stack = list(outputs)
    while stack:
        for source in stack.pop().sources:
            if source not in uses:
                uses[source] = 0
                stack.append(source)
            uses[source] += 1
    ready = [output for output in outputs if not uses[output]]
    order = []
    while ready:
        scalar = ready.pop()
        order.append(scalar)
        for source in scalar.sources:
            uses[source] -= 1
            if not uses[source]:
                ready.append(source)
    return order


def _numbers(x: Any) -> np.ndarray:
    return np.array([each.value if type(each) is Scalar else each for each in x.ravel()]).reshape(x.shape)
