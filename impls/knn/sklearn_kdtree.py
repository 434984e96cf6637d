"""scikit-learn's k-d tree, `sklearn.neighbors.KDTree`, with its default leaf size of 40; one thread, float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.neighbors import KDTree

from harness.contract import implements
from impls.building_blocks.knn.checks import Answer, ragged_rows, rows_of_k, slightly_wider
from impls.building_blocks.knn.sklearn import METRIC_NAMES, inside_ball
from suites.knn.suite import SUITE


@implements(SUITE, library="scikit-learn", dtypes=("float64", "float32"))
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    tree = KDTree(points, metric=METRIC_NAMES[metric])
    yield None
    if search == "nearest":
        yield rows_of_k(*tree.query(queries, k))
    else:
        indices, distances = tree.query_radius(queries, slightly_wider(radius), return_distance=True)
        yield ragged_rows(*inside_ball(distances, indices, radius, closed))
