"""Brute force by the expanded square |x|^2 - 2 xq + |q|^2 in blocks, in NumPy, re-ranked by direct differences.

The expanded square cancels for close points, so the data is centred, more candidates than k are kept, and the answer's
distances are evaluated directly in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.knn.checks import (
    Answer,
    direct_distances,
    reject_nan,
    rerank,
    sorted_rows,
    squared_limit,
    with_margin,
)
from suites.knn.suite import SUITE

BLOCK_BYTES = 1 << 24  # the squares of one block of queries


@implements(SUITE, dtypes=("float64", "float32"), limits={"metric": ("l2",)})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    centre = points.mean(axis=0, dtype=np.float64).astype(points.dtype)
    centred = points - centre
    lengths = np.einsum("ij,ij->i", centred, centred)
    yield None
    reject_nan("queries", queries)
    kept = with_margin(k, len(points))
    moved = queries - centre
    own = np.einsum("ij,ij->i", moved, moved)
    epsilon = np.finfo(points.dtype).eps
    slack = 4 * (points.shape[1] + 4) * epsilon * (own + lengths.max())
    height = max(1, BLOCK_BYTES // (points.itemsize * len(points)))
    candidates, distances, counts = [], [], []
    for start in range(0, len(queries), height):
        block = slice(start, start + height)
        # The queries' own lengths change no order and are added only where a radius is compared with.
        squares = moved[block] @ (-2 * centred.T)
        squares += lengths
        if search == "nearest":
            candidates.append(np.argpartition(squares, kept - 1, axis=1)[:, :kept])
            continue
        squares += own[block, None]
        owner, chosen = np.nonzero(squares <= squared_limit(radius, True) + slack[block, None])
        far = direct_distances(points, queries[block], owner, chosen)
        inside = far <= radius if closed else far < radius
        candidates.append(chosen[inside])
        distances.append(far[inside])
        counts.append(np.bincount(owner[inside], minlength=len(squares)))
    if search == "nearest":
        yield rerank(points, queries, np.concatenate(candidates), k)
    else:
        yield sorted_rows(np.concatenate(distances), np.concatenate(candidates), np.concatenate(counts))
