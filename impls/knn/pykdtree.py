"""pykdtree's `KDTree`, with its default leaf size of 16: C with OpenMP, in the dtype of the points.

It has neither range searches nor another metric than L2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pykdtree.kdtree import KDTree

from harness.contract import implements
from impls.building_blocks.knn.checks import Answer, reject_nan, rows_of_k
from suites.knn.suite import SUITE


@implements(
    SUITE, library="pykdtree", dtypes=("float64", "float32"), limits={"search": ("nearest",), "metric": ("l2",)}
)
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    tree = KDTree(points)
    yield None
    reject_nan("queries", queries)
    distances, indices = tree.query(queries, k)
    yield rows_of_k(distances.reshape(len(queries), k), indices.reshape(len(queries), k))
