"""The operations on jax's arrays, and programs as functions that jax can compile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from impls.building_blocks.autograd.plain import pieces_of
from suites.autograd.programs import PROGRAMS, Problem


class JaxOperations:
    exp: Any = staticmethod(jnp.exp)
    log: Any = staticmethod(jnp.log)
    sin: Any = staticmethod(jnp.sin)
    cos: Any = staticmethod(jnp.cos)
    tanh: Any = staticmethod(jnp.tanh)
    absolute: Any = staticmethod(jnp.abs)
    where: Any = staticmethod(jnp.where)

    def positive(self, x: Any) -> Any:
        return x > 0

    def largest(self, x: Any) -> Any:
        return x[jnp.argmax(x)]

    def total(self, x: Any, axis: int | None = None) -> Any:
        return jnp.sum(x, axis=axis)

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        return [x[start:stop].reshape(shape) for start, stop, shape in pieces_of(shapes)]

    def number(self, x: Any) -> float:
        return float(x)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


JAX = JaxOperations()


def function_of(program: str, length: int, segments: int) -> Callable[..., Any]:
    """The program as a function (x, table, targets) to a vector, in the precision of its arguments."""
    jax.config.update("jax_enable_x64", True)

    def function(x: Any, table: Any, targets: Any) -> Any:
        return PROGRAMS[program](JAX, x, Problem(table, targets, length, segments)).reshape(-1)

    return function
