"""FAISS's exact index on the GPU, `faiss.GpuIndexFlatL2`, float32, which searches for at most 2048 neighbours.

Its expanded squares cancel for close points, so it searches centred data for more than k candidates, whose distances
are evaluated again directly. It has no range search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import faiss
import faiss.contrib.torch_utils  # lets indexes take and return torch tensors
import torch

from harness.contract import implements
from impls.building_blocks.knn.checks import reject_nan, with_margin
from impls.building_blocks.knn.torch import TorchAnswer, rerank
from suites.knn.suite import SUITE

if not hasattr(faiss, "GpuIndexFlatL2"):
    raise ModuleNotFoundError("this build of faiss has no GPU part", name="faiss_gpu")


@implements(
    SUITE,
    library="FAISS",
    arrays="torch",
    devices=("cuda",),
    dtypes=("float32",),
    limits={"search": ("nearest",), "metric": ("l2",), "k": 1024},
)
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[TorchAnswer | None]:
    reject_nan("points", points)
    centre = points.mean(dim=0)
    settings = faiss.GpuIndexFlatConfig()
    settings.device = torch.cuda.current_device()
    index = faiss.GpuIndexFlatL2(faiss.StandardGpuResources(), points.shape[1], settings)
    index.add((points - centre).contiguous())
    yield None
    reject_nan("queries", queries)
    _, candidates = index.search((queries - centre).contiguous(), with_margin(k, len(points)))
    yield rerank(points, queries, candidates, k)
