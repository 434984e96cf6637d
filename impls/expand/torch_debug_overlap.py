"""torch's own check before a write: no for dense tensors, yes for a stride of 0, else too hard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from suites.expand.suite import SUITE


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    dtypes=("float32", "float64"),
    limits={"operation": ("overlap",)},
    kind="dense",
)
def check(
    x: torch.Tensor, other: torch.Tensor, shape: tuple[int, ...], step: int, layouts: torch.Tensor, operation: str
) -> Iterator[Any]:
    # Views of one element are enough: the check looks at sizes and strides, and nothing is read.
    tensors = []
    for sizes, strides in layouts.tolist():
        extent = 1 + sum(stride * max(0, size - 1) for size, stride in zip(sizes, strides, strict=True))
        tensors.append(torch.empty(extent).as_strided(sizes, strides))
    yield
    yield torch.tensor([torch._debug_has_internal_overlap(tensor) for tensor in tensors], dtype=x.dtype)
