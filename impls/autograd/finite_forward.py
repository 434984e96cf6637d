"""Forward differences: n + 1 evaluations, right to half of the digits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.counters import PassCounters
from impls.building_blocks.autograd.differences import forward_gradient, forward_product
from impls.building_blocks.autograd.plain import PLAIN
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    kind="finite",
    limits={
        "layers": 9,
        "width": 8,
        "length": 1000,
        "program": (
            "tanh_squares", "rosenbrock", "chain", "layers", "digits", "logistic", "collatz", "newton", "tree", "layer",
            "shared", "unused", "broadcast", "gather", "powers",
        ),
    },
    counters=lambda: PassCounters(forward_gradient),
)  # fmt: skip
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    def function(point: Any) -> Any:
        return run(PLAIN, point, problem)

    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield np.reshape(function(x), -1)
    yield forward_gradient(function, x, cotangent)
    yield forward_product(function, x, tangent)
