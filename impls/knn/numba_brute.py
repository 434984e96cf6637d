"""Brute force in Numba: tiles of direct differences, from 16 dimensions on a BLAS product that filters; top-k inline.

Neither the distances of all pairs nor a second pass for the selection: a tile's distances are compared with each
query's k-th best while they are in the cache. The expanded square only rejects; what it cannot reject, up to its
rounding error, is measured by direct differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.contract import implements
from impls.building_blocks.knn.checks import Answer, reject_nan, rows_of_k
from impls.building_blocks.knn.tiles import nearest, prepare, within
from suites.knn.suite import SUITE


@implements(SUITE, dtypes=("float64", "float32"))
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    prepared = prepare(points, metric)
    yield None
    reject_nan("queries", queries)
    if search == "nearest":
        yield rows_of_k(*nearest(prepared, queries, k, metric))
    else:
        yield within(prepared, queries, radius, closed, metric)
