"""`torch.autograd.grad`, eager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.autograd.torch_counters import TorchCounters
from impls.building_blocks.autograd.torch_operations import TORCH, gradient
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64"),
    phases=("value", "gradient"),
    counters=TorchCounters,
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    with torch.no_grad():
        value = run(TORCH, x, problem).reshape(-1)
    yield value
    yield gradient(TORCH, run, x, problem, cotangent)
