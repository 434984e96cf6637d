"""Forward mode by dual numbers over NumPy arrays: a pass for each direction, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.counters import PassCounters
from impls.building_blocks.autograd.dual import DUAL, derivative_along, gradient
from impls.building_blocks.autograd.plain import PLAIN
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    limits={"n": 1000, "layers": 9, "width": 8, "length": 1000},
    counters=lambda: PassCounters(gradient, DUAL),
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    def passing(point: Any) -> Any:
        return run(DUAL, point, problem)

    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield np.reshape(run(PLAIN, x, problem), -1)
    yield gradient(passing, x, cotangent)
    yield derivative_along(passing, x, tangent)
