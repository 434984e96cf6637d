"""Reverse mode on a tape of NumPy arrays, made anew while the program runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.counters import TapeCounters
from impls.building_blocks.autograd.plain import PLAIN
from impls.building_blocks.autograd.tape_operations import TAPE, gradient
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    dtypes=("float32", "float64"),
    phases=("value", "gradient"),
    counters=TapeCounters,
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield np.reshape(run(PLAIN, x, problem), -1)
    yield gradient(TAPE, run, x, problem, cotangent)
