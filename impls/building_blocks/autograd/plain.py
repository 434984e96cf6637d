"""The operations on NumPy arrays, real or complex, without any derivative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np


class PlainOperations:
    """Choices and numbers go by the real part, so that complex steps follow the path of the real program."""

    exp: Any = np.exp
    log: Any = np.log
    sin: Any = np.sin
    cos: Any = np.cos
    tanh: Any = np.tanh
    absolute: Any = np.absolute
    where: Any = staticmethod(np.where)

    def positive(self, x: Any) -> Any:
        return x.real > 0

    def largest(self, x: Any) -> Any:
        return x[x.argmax()]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return np.add.reduce(x, axis=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        return [x[start:stop].reshape(shape) for start, stop, shape in pieces_of(shapes)]

    def number(self, x: Any) -> float:
        return float(x.real)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


def pieces_of(shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, int, tuple[int, ...]]]:
    """Start, stop and shape of consecutive pieces of a vector."""
    stops = list(accumulate(prod(shape) for shape in shapes))
    return list(zip([0, *stops[:-1]], stops, shapes, strict=True)) if stops else []


PLAIN = PlainOperations()
