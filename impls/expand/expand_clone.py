"""expand and clone, which gives every element a place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.expand import torch_ways
from suites.expand.suite import SUITE


def make(x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    return x.expand(shape).clone()


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64", "int64", "bool"),
    limits={"operation": ("read", "weigh", "write", "write_unexpanded", "backward")},
    kind="copy",
    counters=make,
)
def broadcast(
    x: torch.Tensor, other: torch.Tensor, shape: tuple[int, ...], step: int, layouts: torch.Tensor, operation: str
) -> Iterator[Any]:
    yield from torch_ways.run(make, x, other, shape, step, operation)
