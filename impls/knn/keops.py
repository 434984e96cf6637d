"""KeOps's `LazyTensor.argKmin` (Charlier et al. 2021): squared differences reduced as they are formed, never stored.

Its k-nearest search computes direct differences in the dtype of the points. It has no range search.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pykeops.torch import LazyTensor  # type: ignore[import-not-found, unused-ignore]

from harness.contract import implements
from impls.building_blocks.knn.checks import reject_nan
from impls.building_blocks.knn.torch import TorchAnswer, rerank
from suites.knn.suite import SUITE


@implements(
    SUITE,
    library="KeOps",
    arrays="torch",
    devices=("cpu", "cuda"),
    dtypes=("float64", "float32"),
    limits={"search": ("nearest",), "metric": ("l2",)},
)
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[TorchAnswer | None]:
    reject_nan("points", points)
    rows = LazyTensor(points.contiguous()[None, :, :])
    yield None
    reject_nan("queries", queries)
    squares = ((LazyTensor(queries.contiguous()[:, None, :]) - rows) ** 2).sum(-1)
    # The reduction returns indices alone; their distances are evaluated afterwards.
    yield rerank(points, queries, squares.argKmin(k, dim=1), k)
