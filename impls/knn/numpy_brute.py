"""Brute force with direct differences, one query after another, in NumPy: the definition written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.knn.checks import Answer, ragged_rows, reject_nan
from suites.knn.suite import SUITE


# Bounded by what it does in about a second.
@implements(SUITE, dtypes=("float64", "float32"), limits={"n": 20_000, "d": 70})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    yield None
    reject_nan("queries", queries)
    order = 2 if metric == "l2" else np.inf
    distances, indices = [], []
    for query in queries.astype(np.float64):
        far = np.linalg.norm(points - query, ord=order, axis=1)
        if search == "nearest":
            chosen = np.argpartition(far, k - 1)[:k]
        else:
            chosen = np.flatnonzero(far <= radius if closed else far < radius)
        distances.append(far[chosen])
        indices.append(chosen)
    yield ragged_rows(distances, indices)
