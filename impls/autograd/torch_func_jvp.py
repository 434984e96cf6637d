"""Forward mode of torch: `torch.func.jvp` along all axes at once by `torch.func.vmap`."""

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
    dtypes=("float64",),
    limits={
        "n": 100,
        "layers": 9,
        "width": 8,
        "length": 1000,
        "program": (
            "tanh_squares", "rosenbrock", "chain", "layers", "digits", "logistic", "layer",
            "shared", "unused", "broadcast", "gather", "powers", "kinks", "log_of_zero", "one_over_zero",
        ),
    },
)  # fmt: skip
def differentiate(
    program: str, x: Any, table: Any, targets: Any, tangent: Any, cotangent: Any, length: int, segments: int
) -> Iterator[Any]:
    def function(point: Any) -> Any:
        return run(TORCH, point, problem).reshape(-1)

    def along(direction: Any) -> Any:
        return torch.func.jvp(function, (x,), (direction,))[1]

    run, problem = PROGRAMS[program], Problem(table, targets, length, segments)
    yield function(x)
    axes = torch.eye(len(x), dtype=x.dtype, device=x.device)
    yield torch.func.vmap(along)(axes) @ cotangent if len(x) else torch.zeros_like(x)
    yield along(tangent)
