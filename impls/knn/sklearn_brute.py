"""scikit-learn's brute force, `NearestNeighbors(algorithm="brute")`: blocked expanded squares with a fused top-k.

The algorithm is named because the default picks one by itself. The library's expanded square returns about 1e-8 where
a distance is 0 and loses digits far from the origin; so it is asked for more than k candidates of centred data, whose
distances are evaluated again directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from harness.contract import implements, thread_count
from impls.building_blocks.knn.checks import Answer, direct_distances, reject_nan, rerank, sorted_rows, with_margin
from impls.building_blocks.knn.sklearn import METRIC_NAMES
from suites.knn.suite import SUITE


@implements(SUITE, library="scikit-learn", dtypes=("float64", "float32"), limits={"metric": ("l2",)})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    centre = points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    neighbours = NearestNeighbors(algorithm="brute", metric=METRIC_NAMES[metric], n_jobs=thread_count())
    neighbours.fit(points - centre)
    yield None
    reject_nan("queries", queries)
    moved = queries - centre
    if search == "nearest":
        candidates = neighbours.kneighbors(moved, with_margin(k, len(points)), return_distance=False)
        yield rerank(points, queries, candidates, k)
        return
    largest = float(np.abs(moved).max() + np.abs(points - centre).max())
    reach = radius + float(np.sqrt(np.finfo(points.dtype).eps)) * largest * points.shape[1]
    rows = neighbours.radius_neighbors(moved, reach, return_distance=False)
    counts = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    chosen, owner = np.concatenate(rows).astype(np.int64), np.repeat(np.arange(len(rows)), counts)
    far = direct_distances(points, queries, owner, chosen)
    inside = far <= radius if closed else far < radius
    yield sorted_rows(far[inside], chosen[inside], np.bincount(owner[inside], minlength=len(rows)))
