"""What implementations of knn do alike around the search itself: refusing NaN, and answers in compressed-row form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Answer = tuple[np.ndarray, np.ndarray, np.ndarray]


def reject_nan(name: str, array: Any) -> None:
    """:raises ValueError: a NumPy array or torch tensor holds NaN."""
    # NaN is the only value that differs from itself.
    if bool((array != array).any()):
        raise ValueError(f"{name} must not hold NaN")


def rows_of_k(distances: np.ndarray, indices: np.ndarray) -> Answer:
    """Distances and indices, both (m, k) ascending, as flat arrays with offsets (m+1,)."""
    m, k = distances.shape
    offsets = np.arange(m + 1, dtype=np.int64) * k
    return distances.ravel().astype(np.float64, copy=False), indices.ravel().astype(np.int64, copy=False), offsets


def ragged_rows(distances: list[np.ndarray], indices: list[np.ndarray]) -> Answer:
    """One array of distances and one of indices per query, each sorted here, as flat arrays with offsets (m+1,)."""
    counts = [len(row) for row in indices]
    return sorted_rows(np.concatenate(distances), np.concatenate(indices), np.asarray(counts))


def sorted_rows(distances: np.ndarray, indices: np.ndarray, counts: np.ndarray) -> Answer:
    """Flat hits, query by query but unsorted within each, as an answer sorted by (distance, index)."""
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    order = np.lexsort((indices, distances, np.repeat(np.arange(len(counts)), counts)))
    return distances[order].astype(np.float64, copy=False), indices[order].astype(np.int64, copy=False), offsets


def squared_limit(radius: float, closed: bool) -> float:
    """The largest double whose root is inside: ``<= radius``, or ``< radius`` for an open ball.

    Not simply the square, which rounding can put on the other side of the square of a distance equal to ``radius``.
    """

    def inside(square: float) -> bool:
        return math.sqrt(square) <= radius if closed else math.sqrt(square) < radius

    square = radius * radius
    while square >= 0 and not inside(square):
        square = math.nextafter(square, -math.inf)
    while square >= 0 and inside(math.nextafter(square, math.inf)):
        square = math.nextafter(square, math.inf)
    return square


def slightly_wider(radius: float) -> float:
    """For libraries that compare squares: a radius that loses no point on the sphere; distances are compared later."""
    return radius * (1 + 1e-12)


def direct_distances(points: np.ndarray, queries: np.ndarray, owner: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Euclidean distances, float64, between ``queries[owner]`` and ``points[indices]``, without cancellation."""
    difference = points[indices].astype(np.float64)
    difference -= queries[owner]
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", difference, difference)))


def rerank(points: np.ndarray, queries: np.ndarray, candidates: np.ndarray, k: int) -> Answer:
    """The k nearest of each query's candidates (m, c), by direct differences in float64.

    An expanded square cancels for close points; its order is right only up to that error, so callers pass more than k.
    """
    m, width = candidates.shape
    far = direct_distances(points, queries, np.repeat(np.arange(m), width), candidates.ravel()).reshape(m, width)
    order = np.argsort(far, axis=1, kind="stable")[:, :k]
    return rows_of_k(np.take_along_axis(far, order, axis=1), np.take_along_axis(candidates, order, axis=1))


def with_margin(k: int, n: int) -> int:
    """How many candidates to re-rank for k answers."""
    return min(n, max(2 * k, k + 8))
