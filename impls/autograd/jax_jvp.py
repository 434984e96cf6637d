"""Forward mode of jax: `jax.jvp` along all axes at once by `jax.vmap`, under `jax.jit`.

The derivative of its absolute value at 0 is 1, not the contract's 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jax
import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.jax_operations import function_of
from suites.autograd.suite import SUITE


@cache
def compiled(program: str, length: int, segments: int) -> tuple[Callable[..., Any], ...]:
    """The value, the gradient of cotangent . f, and the Jacobian times a tangent."""
    function = function_of(program, length, segments)

    def along(direction: Any, x: Any, table: Any, targets: Any) -> Any:
        return jax.jvp(lambda point: function(point, table, targets), (x,), (direction,))[1]

    def gradient(x: Any, table: Any, targets: Any, cotangent: Any) -> Any:
        axes = np.eye(len(x), dtype=x.dtype)
        return jax.vmap(along, in_axes=(0, None, None, None))(axes, x, table, targets) @ cotangent

    return jax.jit(function), jax.jit(gradient), jax.jit(along)


@implements(
    SUITE,
    library="jax",
    dtypes=("float64",),
    limits={
        "n": 100,
        "layers": 9,
        "width": 8,
        "length": 1000,
        "program": (
            "tanh_squares", "rosenbrock", "chain", "layers", "digits", "logistic", "layer",
            "shared", "unused", "broadcast", "gather", "powers", "log_of_zero", "one_over_zero",
        ),
    },
)  # fmt: skip
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    value, gradient, along = compiled(program, length, segments)
    yield np.asarray(value(x, table, targets))
    yield np.asarray(gradient(x, table, targets, cotangent)) if len(x) else np.zeros_like(x)
    yield np.asarray(along(tangent, x, table, targets))
