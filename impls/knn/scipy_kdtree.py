"""SciPy's k-d tree, `scipy.spatial.KDTree`, with its default leaf size of 10; it computes in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from harness.contract import implements, thread_count
from impls.building_blocks.knn.checks import Answer, reject_nan, rows_of_k, slightly_wider, sorted_rows
from suites.knn.suite import SUITE


@implements(SUITE, library="SciPy", dtypes=("float64", "float32"))
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    tree = KDTree(points)
    yield None
    reject_nan("queries", queries)
    order = 2.0 if metric == "l2" else np.inf
    if search == "nearest":
        # A list of ranks keeps the axis of the neighbours where k is 1.
        distances, indices = tree.query(queries, np.arange(1, k + 1), p=order, workers=thread_count())
        yield rows_of_k(distances, indices)
        return
    rows = tree.query_ball_point(queries, slightly_wider(radius), p=order, workers=thread_count(), return_sorted=False)
    counts = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    indices = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    # The library gives no distances for a range, and compares squares, which rounding can put outside its closed ball.
    owner = np.repeat(np.arange(len(counts)), counts)
    difference = tree.data[indices] - queries[owner]
    far = np.linalg.norm(difference, axis=1) if metric == "l2" else np.abs(difference).max(axis=1, initial=0.0)
    inside = far <= radius if closed else far < radius
    yield sorted_rows(far[inside], indices[inside], np.bincount(owner[inside], minlength=len(counts)))
