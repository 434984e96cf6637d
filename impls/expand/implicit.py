"""No tensor at all: the consumer broadcasts, in one einsum that reads x as often as it likes from the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import Raised, implements
from impls.building_blocks.expand.torch_ways import weigh
from suites.expand.suite import SUITE


@implements(
    SUITE,
    library="torch",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float32", "float64", "int64", "bool"),
    limits={"operation": ("weigh", "backward")},
    kind="view",
)
def broadcast(
    x: torch.Tensor, other: torch.Tensor, shape: tuple[int, ...], step: int, layouts: torch.Tensor, operation: str
) -> Iterator[Any]:
    yield
    taken = x[..., ::step] if step > 1 else x
    if operation == "weigh":
        # einsum multiplies matrices, which torch does not do with booleans.
        yield weigh(taken, other) if x.dtype == torch.bool else torch.einsum("...n,...n->...", taken, other)
    elif x.dtype.is_floating_point:
        leaf = x.detach().requires_grad_()
        ((leaf[..., ::step] if step > 1 else leaf) * other).sum().backward()
        yield leaf.grad
    else:
        yield Raised("no gradient")
