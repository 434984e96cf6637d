"""Vector-Jacobian products: from the gradient that arrives at an operation's output to that of one of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Part(NamedTuple):
    """A gradient that is zero outside ``index``, so that it is added there and nowhere else."""

    index: Any
    values: Any
    shape: tuple[int, ...]

    def add_to(self, whole: np.ndarray) -> None:
        if isinstance(self.index, np.ndarray) and self.index.dtype != np.bool_:
            np.add.at(whole, self.index, self.values)  # an index may occur twice
        else:
            whole[self.index] += self.values


def same(g: Any) -> Any:
    return g


def negated(g: Any) -> Any:
    return -g


def times(g: Any, other: Any) -> Any:
    return g * other


def over(g: Any, divisor: Any) -> Any:
    return g / divisor


def by_divisor(g: Any, quotient: Any, divisor: Any) -> Any:
    return -g * quotient / divisor


def by_base(g: Any, base: Any, exponent: float) -> Any:
    return g * (exponent * base ** (exponent - 1))


def by_logarithm(g: Any, x: Any) -> Any:
    return g / x


def by_sine(g: Any, x: Any) -> Any:
    return g * np.cos(x)


def by_cosine(g: Any, x: Any) -> Any:
    return -g * np.sin(x)


def by_tanh(g: Any, y: Any) -> Any:
    return g * (1.0 - y * y)


def by_absolute(g: Any, x: Any) -> Any:
    return g * np.sign(x)


def chosen(g: Any, mask: Any) -> Any:
    return np.where(mask, g, 0.0)


def not_chosen(g: Any, mask: Any) -> Any:
    return np.where(mask, 0.0, g)


def spread(g: Any, shape: tuple[int, ...], axis: int | None) -> Any:
    """Of a sum: the same gradient to all that was summed."""
    return np.broadcast_to(g if axis is None else np.expand_dims(g, axis), shape, subok=True)


def part(g: Any, index: Any, shape: tuple[int, ...]) -> Part:
    return Part(index, g, shape)


def piece(g: Any, start: int, stop: int, shape: tuple[int, ...]) -> Part:
    return Part(slice(start, stop), g.reshape(-1), shape)


def reduced(g: Any, shape: tuple[int, ...]) -> Any:
    """The sum over the axes along which ``shape`` was broadcast."""
    g = np.add.reduce(g, axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and g.shape[axis] != 1)
    return np.add.reduce(g, axis=stretched, keepdims=True) if stretched else g


def of_product(a: Any, b: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The rules for both sides of ``a @ b``, matrices or vectors; each is given the other side.

    :raises TypeError: a side has more than two dimensions.
    """
    try:
        return _OF_PRODUCT[a.ndim, b.ndim]
    except KeyError:
        raise TypeError(f"products are of vectors and matrices, not of {a.ndim} and {b.ndim} dimensions") from None


_OF_PRODUCT: dict[tuple[int, int], tuple[Callable[..., Any], Callable[..., Any]]] = {
    (2, 2): (lambda g, b: g @ b.T, lambda g, a: a.T @ g),
    (2, 1): (lambda g, b: np.multiply.outer(g, b), lambda g, a: a.T @ g),
    (1, 2): (lambda g, b: b @ g, lambda g, a: np.multiply.outer(a, g)),
    (1, 1): (lambda g, b: g * b, lambda g, a: g * a),
}
