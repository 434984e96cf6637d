"""`torch.func.grad_and_value`, eager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.autograd.torch_operations import TORCH
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.suite import SUITE


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64"),
    phases=("value", "gradient"),
    limits={"length": 1000},
)
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    def weighted(point: Any) -> Any:
        output = run(TORCH, point, problem)
        return output if output.ndim == 0 else cotangent @ output

    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield run(TORCH, x, problem).reshape(-1)
    yield torch.func.grad_and_value(weighted)(x)[0]
