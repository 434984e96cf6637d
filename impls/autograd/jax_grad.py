"""`jax.value_and_grad` under `jax.jit`; compiling is part of the first call for each shape.

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
    """The value, and the gradient of cotangent . f with it."""
    function = function_of(program, length, segments)

    def weighted(x: Any, table: Any, targets: Any, cotangent: Any) -> Any:
        return cotangent @ function(x, table, targets)

    return jax.jit(function), jax.jit(jax.value_and_grad(weighted))


@implements(
    SUITE,
    library="jax",
    dtypes=("float32", "float64"),
    phases=("value", "gradient"),
    limits={
        "length": 1000,
        "layers": 64,
        "program": (
            "tanh_squares", "rosenbrock", "chain", "layers", "digits", "logistic", "layer",
            "shared", "unused", "broadcast", "gather", "powers", "log_of_zero", "one_over_zero",
        ),
    },
)  # fmt: skip
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    value, with_gradient = compiled(program, length, segments)
    yield np.asarray(value(x, table, targets))
    yield np.asarray(with_gradient(x, table, targets, cotangent)[1])
