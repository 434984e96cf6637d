"""`autograd.grad` of the package that torch's autograd is named after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.autograd.autograd_operations import AUTOGRAD, grad
from impls.building_blocks.autograd.plain import PLAIN
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE, library="autograd", dtypes=("float32", "float64"), phases=("value", "gradient"), limits={"length": 1000}
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    def weighted(point: Any) -> Any:
        output = run(AUTOGRAD, point, problem)
        return output if output.ndim == 0 else AUTOGRAD.total(cotangent * output)

    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield np.reshape(run(PLAIN, x, problem), -1)
    yield grad(weighted)(x)
