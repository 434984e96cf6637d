"""Brute force in torch: `cdist` by direct differences, and `topk`, in blocks of queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from harness.contract import implements
from impls.building_blocks.knn.checks import reject_nan
from impls.building_blocks.knn.torch import TorchAnswer, offsets_of, sort_rows
from suites.knn.suite import SUITE

BLOCK_BYTES = 1 << 25  # the distances of one block of queries
# The matrix product of `cdist` cancels for close points; direct differences do not, and need no second look.
DIRECT = "donot_use_mm_for_euclid_dist"


@implements(SUITE, arrays="torch", devices=("cpu", "cuda"), dtypes=("float64", "float32"))
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[TorchAnswer | None]:
    reject_nan("points", points)
    yield None
    reject_nan("queries", queries)
    order = 2.0 if metric == "l2" else float("inf")
    height = max(1, BLOCK_BYTES // (points.element_size() * len(points)))
    distances, indices, counts = [], [], []
    for block in queries.split(height):
        far = torch.cdist(block, points, p=order, compute_mode=DIRECT)
        if search == "nearest":
            values, chosen = far.topk(k, dim=1, largest=False, sorted=True)
            counts.append(torch.full((len(block),), k, device=far.device))
        else:
            owner, chosen = torch.nonzero(far <= radius if closed else far < radius, as_tuple=True)
            values = far[owner, chosen]
            ascending = sort_rows(owner, values)
            values, chosen = values[ascending], chosen[ascending]
            counts.append(torch.bincount(owner, minlength=len(block)))
        distances.append(values.flatten())
        indices.append(chosen.flatten())
    yield torch.cat(distances).double(), torch.cat(indices), offsets_of(torch.cat(counts))
