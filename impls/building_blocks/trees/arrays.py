"""Fitted trees as arrays, and scoring rows with them.

Nodes of one tree are numbered from its root, 0; the right child comes directly after the left one. A leaf is its own
left child with an infinite threshold, so that every row can take as many steps as the deepest one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange

ROWS_AT_ONCE = 512


class Forest(NamedTuple):
    """Trees by (round, node): ``feature`` int32, ``threshold`` float64, ``left`` int32, ``gain`` and ``value`` float64.

    ``sizes`` and ``depths`` are int64 (rounds,); ``value`` is that of a leaf before shrinkage. ``updates`` of
    histograms and ``candidates`` for a split were counted by the search.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    gain: np.ndarray
    value: np.ndarray
    sizes: np.ndarray
    depths: np.ndarray
    updates: int = 0
    candidates: int = 0


def empty_forest(rounds: int, nodes: int) -> Forest:
    """Room for ``rounds`` trees of at most ``nodes`` nodes, all of them leaves of value 0."""
    shape = (rounds, nodes)
    return Forest(
        feature=np.zeros(shape, dtype=np.int32),
        threshold=np.full(shape, np.inf),
        left=np.broadcast_to(np.arange(nodes, dtype=np.int32), shape).copy(),
        gain=np.zeros(shape),
        value=np.zeros(shape),
        sizes=np.ones(rounds, dtype=np.int64),
        depths=np.zeros(rounds, dtype=np.int64),
    )


def most_nodes(rows: int, max_depth: int, max_leaves: int, min_rows: int) -> int:
    """Upper bound of the nodes of one tree."""
    leaves = max(1, rows // max(1, min_rows))
    if max_depth and max_depth < 48:
        leaves = min(leaves, 2**max_depth)
    if max_leaves:
        leaves = min(leaves, max_leaves)
    return 2 * leaves - 1


def score(forest: Forest, x: np.ndarray, base: float, shrinkage: float) -> np.ndarray:
    """Raw scores float64 (rows,) of ``x`` (rows, features) float32."""
    scores = np.full(len(x), base)
    _score(forest.feature, forest.threshold, forest.left, forest.value, forest.depths, x, shrinkage, scores)
    return scores


@njit(cache=True, parallel=True)
def _score(
    feature: np.ndarray,
    threshold: np.ndarray,
    left: np.ndarray,
    value: np.ndarray,
    depths: np.ndarray,
    x: np.ndarray,
    shrinkage: float,
    scores: np.ndarray,
) -> None:
    rows = len(x)
    for block in prange((rows + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE):
        first, last = block * ROWS_AT_ONCE, min(rows, (block + 1) * ROWS_AT_ONCE)
        for t in range(len(depths)):
            for i in range(first, last):
                node = 0
                for _ in range(depths[t]):
                    node = left[t, node] + (x[i, feature[t, node]] > threshold[t, node])
                scores[i] += shrinkage * value[t, node]
