"""The operations of the package autograd, which are those of NumPy wrapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as wrapped
from autograd import grad
from autograd.tracer import getval

from impls.building_blocks.autograd.plain import pieces_of

__all__ = ["AUTOGRAD", "grad"]


class AutogradOperations:
    exp: Any = staticmethod(wrapped.exp)
    log: Any = staticmethod(wrapped.log)
    sin: Any = staticmethod(wrapped.sin)
    cos: Any = staticmethod(wrapped.cos)
    tanh: Any = staticmethod(wrapped.tanh)
    absolute: Any = staticmethod(wrapped.abs)
    where: Any = staticmethod(wrapped.where)

    def positive(self, x: Any) -> Any:
        return getval(x) > 0

    def largest(self, x: Any) -> Any:
        return x[int(getval(x).argmax())]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return wrapped.sum(x, axis=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        return [wrapped.reshape(x[start:stop], shape) for start, stop, shape in pieces_of(shapes)]

    def number(self, x: Any) -> float:
        return float(getval(x))

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


AUTOGRAD = AutogradOperations()
