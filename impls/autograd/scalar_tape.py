"""Reverse mode on a tape of single numbers in plain Python, in the manner of micrograd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.counters import PassCounters
from impls.building_blocks.autograd.scalar import SCALAR, gradient, value
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    phases=("value", "gradient"),
    limits={"n": 32, "layers": 9, "width": 8},
    counters=lambda: PassCounters(gradient, SCALAR),
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield value(lambda point: run(SCALAR, point, problem), x)
    yield np.array(gradient(lambda point: run(SCALAR, point, problem), x, cotangent))
