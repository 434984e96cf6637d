"""Source transformation: traced once for each shape into straight-line NumPy, for programs whose path is fixed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.counters import TracedCounters
from impls.building_blocks.autograd.plain import PLAIN
from impls.building_blocks.autograd.source_gradient import Compiled
from impls.building_blocks.autograd.source_operations import transform
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@cache
def compiled(
    program: str, dtype: str, x: tuple[int, ...], table: tuple[int, ...], targets: tuple[int, ...], *counts: int
) -> Compiled:
    """The gradient for arrays of these shapes; what they hold makes no difference to its source."""
    problem = Problem(np.ones(table, dtype), np.ones(targets, dtype), *counts)
    return transform(PROGRAMS[program], np.ones(x, dtype), problem)


@implements(
    SUITE,
    dtypes=("float32", "float64"),
    phases=("value", "gradient"),
    limits={
        "length": 1000,
        "program": (
            "tanh_squares", "rosenbrock", "chain", "layers", "digits", "logistic", "layer",
            "shared", "unused", "broadcast", "gather", "powers", "kinks", "log_of_zero", "one_over_zero",
        ),
    },
    counters=TracedCounters,
)  # fmt: skip
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    yield np.reshape(PROGRAMS[program](PLAIN, x, Problem(table, targets, length, segments)), -1)
    gradient = compiled(program, x.dtype.name, x.shape, table.shape, targets.shape, length, segments)
    yield gradient(x, table, targets, cotangent if program == "layer" else cotangent[0])
