"""k-d tree with an explicit stack, SIMD bucket leaves and points in leaf order, in Numba (Friedman et al. 1977).

Queries to a tree that outgrows a core's cache are searched in the order of the leaves they fall in; finding that order
is part of the query phase.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.knn.best_bin_first import best_bin_first
from impls.building_blocks.knn.checks import Answer, reject_nan, rows_of_k
from impls.building_blocks.knn.tree_build import Tree, build_tree
from impls.building_blocks.knn.tree_range import count_partial_match, within
from impls.building_blocks.knn.tree_search import count_nearest, nearest
from suites.knn.suite import SUITE


def leaf_size_for(d: int) -> int:
    """Measured optimum: more dimensions visit more of the leaves, so the inner nodes pay less."""
    return 32 if d < 8 else 64


class Instrumented:
    """The tree that is timed, for counting; counts are (m, 3): points examined, inner nodes and leaves visited.

    :param points: (n, d).
    :param leaf_size: 0 for the one that is timed.
    :param cyclic: split the dimensions in turn instead of the widest-spread one.
    """

    def __init__(self, points: np.ndarray, leaf_size: int = 0, cyclic: bool = False) -> None:
        self.tree: Tree = build_tree(points, leaf_size or leaf_size_for(points.shape[1]), cyclic)

    def nearest(self, queries: np.ndarray, k: int, metric: str = "l2") -> np.ndarray:
        """Counts of the exact k-nearest search."""
        return count_nearest(self.tree, queries, k, metric)

    def partial_match(self, values: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """Counts of searches for the points that agree with ``values`` (m, d) in the dimensions ``fixed`` (d,)."""
        return count_partial_match(self.tree, values, fixed)

    def best_bin_first(self, queries: np.ndarray, k: int, checks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Approximate distances (m, k), indices (m, k) and counts, after at most ``checks`` points examined."""
        return best_bin_first(self.tree, queries, k, checks)


@implements(SUITE, dtypes=("float64", "float32"), counters=Instrumented)
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    tree = build_tree(points, leaf_size_for(points.shape[1]))
    yield None
    reject_nan("queries", queries)
    if search == "nearest":
        yield rows_of_k(*nearest(tree, queries, k, metric))
    else:
        yield within(tree, queries, radius, closed, metric)
