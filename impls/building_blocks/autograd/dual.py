"""Dual numbers a + b e with e^2 = 0, as pairs of arrays: the value and its derivative along one direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.autograd.plain import PLAIN, pieces_of


class Dual:
    """A value and a tangent of the same shape; constants take part as they are."""

    __slots__ = ("tangent", "value")
    __array_ufunc__ = None  # a constant array on the left leaves the operator to this class

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value, self.tangent = value, tangent

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.value.shape
        return shape

    def __add__(self, other: Any) -> Dual:
        if type(other) is Dual:
            return Dual(self.value + other.value, self.tangent + other.tangent)
        value = self.value + other
        return Dual(value, _expanded(self.tangent, value))

    __radd__ = __add__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.tangent)

    def __sub__(self, other: Any) -> Dual:
        if type(other) is Dual:
            return Dual(self.value - other.value, self.tangent - other.tangent)
        value = self.value - other
        return Dual(value, _expanded(self.tangent, value))

    def __rsub__(self, other: Any) -> Dual:
        value = other - self.value
        return Dual(value, _expanded(-self.tangent, value))

    def __mul__(self, other: Any) -> Dual:
        if type(other) is Dual:
            return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)
        return Dual(self.value * other, self.tangent * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Dual:
        if type(other) is Dual:
            quotient = self.value / other.value
            return Dual(quotient, (self.tangent - quotient * other.tangent) / other.value)
        return Dual(self.value / other, self.tangent / other)

    def __rtruediv__(self, other: Any) -> Dual:
        quotient = other / self.value
        return Dual(quotient, -quotient / self.value * self.tangent)

    def __pow__(self, exponent: float) -> Dual:
        return Dual(self.value**exponent, exponent * self.value ** (exponent - 1) * self.tangent)

    def __matmul__(self, other: Any) -> Dual:
        if type(other) is Dual:
            return Dual(self.value @ other.value, self.tangent @ other.value + self.value @ other.tangent)
        return Dual(self.value @ other, self.tangent @ other)

    def __rmatmul__(self, other: Any) -> Dual:
        return Dual(other @ self.value, other @ self.tangent)

    def __getitem__(self, index: Any) -> Dual:
        return Dual(self.value[index], self.tangent[index])


class DualOperations:
    def exp(self, x: Dual) -> Dual:
        value = np.exp(x.value)
        return Dual(value, value * x.tangent)

    def log(self, x: Dual) -> Dual:
        return Dual(np.log(x.value), x.tangent / x.value)

    def sin(self, x: Dual) -> Dual:
        return Dual(np.sin(x.value), np.cos(x.value) * x.tangent)

    def cos(self, x: Dual) -> Dual:
        return Dual(np.cos(x.value), -np.sin(x.value) * x.tangent)

    def tanh(self, x: Dual) -> Dual:
        value = np.tanh(x.value)
        return Dual(value, (1.0 - value * value) * x.tangent)

    def absolute(self, x: Dual) -> Dual:
        return Dual(np.absolute(x.value), np.sign(x.value) * x.tangent)

    def positive(self, x: Dual) -> Any:
        return x.value > 0

    def where(self, mask: Any, chosen: Any, other: Any) -> Dual:
        (a, da), (b, db) = _parts(chosen), _parts(other)
        return Dual(np.where(mask, a, b), np.where(mask, da, db))

    def largest(self, x: Dual) -> Dual:
        return x[x.value.argmax()]

    def total(self, x: Dual, axis: int | None = None) -> Dual:
        return Dual(PLAIN.total(x.value, axis), PLAIN.total(x.tangent, axis))

    def split(self, x: Dual, shapes: Sequence[tuple[int, ...]]) -> list[Dual]:
        return [
            Dual(x.value[start:stop].reshape(shape), x.tangent[start:stop].reshape(shape))
            for start, stop, shape in pieces_of(shapes)
        ]

    def number(self, x: Dual) -> float:
        return float(x.value)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


def _expanded(tangent: Any, value: Any) -> Any:
    return tangent if tangent.shape == value.shape else np.broadcast_to(tangent, value.shape)


def _parts(x: Any) -> tuple[Any, Any]:
    return (x.value, x.tangent) if type(x) is Dual else (x, 0.0)


DUAL = DualOperations()


def derivative_along(run: Callable[[Any], Any], x: np.ndarray, tangent: np.ndarray) -> np.ndarray:
    """The Jacobian times ``tangent`` (m,) of ``run``, which computes with dual numbers, in one pass."""
    return np.reshape(run(Dual(x, tangent)).tangent, -1)


def gradient(run: Callable[[Any], Any], x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
    """One pass for each of the n axes."""
    result, axis = np.empty_like(x), np.zeros_like(x)
    for j in range(len(x)):
        axis[j] = 1.0
        result[j] = cotangent @ derivative_along(run, x, axis)
        axis[j] = 0.0
    return result
