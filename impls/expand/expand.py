"""A view: stride 0 wherever x has one element. Writing into it raises, or should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.expand import torch_ways
from suites.expand.suite import SUITE


def make(x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    return x.expand(shape)


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64", "int64", "bool"),
    limits={"operation": ("read", "weigh", "write", "backward")},
    kind="view",
    counters=make,
)
def broadcast(
    x: torch.Tensor, other: torch.Tensor, shape: tuple[int, ...], step: int, layouts: torch.Tensor, operation: str
) -> Iterator[Any]:
    yield from torch_ways.run(make, x, other, shape, step, operation)
