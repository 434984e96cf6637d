"""NVIDIA cuVS's exact search, `cuvs.neighbors.brute_force`, float32.

Its expanded squares cancel for close points, so it searches centred data for more than k candidates, whose distances
are evaluated again directly. It has no range search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from cuvs.neighbors import brute_force  # type: ignore[import-not-found, unused-ignore]

from harness.contract import implements
from impls.building_blocks.knn.checks import reject_nan, with_margin
from impls.building_blocks.knn.torch import TorchAnswer, rerank
from suites.knn.suite import SUITE


@implements(
    SUITE,
    library="cuVS",
    arrays="torch",
    devices=("cuda",),
    dtypes=("float32",),
    limits={"search": ("nearest",), "metric": ("l2",)},
)
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[TorchAnswer | None]:
    reject_nan("points", points)
    centre = points.mean(dim=0)
    centred = (points - centre).contiguous()
    # cuVS works on a stream of its own and does not know what torch still has to do on its stream.
    torch.cuda.current_stream().synchronize()
    index = brute_force.build(centred, metric="sqeuclidean")
    yield None
    reject_nan("queries", queries)
    moved = (queries - centre).contiguous()
    torch.cuda.current_stream().synchronize()
    _, neighbours = brute_force.search(index, moved, with_margin(k, len(points)))
    yield rerank(points, queries, torch.as_tensor(neighbours, device=points.device).long(), k)
