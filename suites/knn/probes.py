"""What the claims of knn count: points examined and nodes visited by the instrumented tree of an implementation.

A probe builds each tree once and asks it everything, so that a size, a metric and an exponent that belong together come
from one worker.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation
from suites.knn.data import draw_points

Counted = Mapping[str, Sequence[float]]

METRICS = ("linf", "l2")
BATCHES = 50
EXAMINED_LEVELS = (10, 12, 14, 15, 16, 17, 18)
# Below this size too many queries lie near the boundary of the cube for an exponent.
EXPONENT_FROM = 14
PARTIAL_LEVELS = tuple(range(10, 21))
PARTIAL_QUERIES, PARTIAL_BATCHES = 200, 20
GROWTH_SEEDS = 5
BUDGET = 200


def examined(rng: np.random.Generator, implementation: Implementation, d: int, m: int) -> Counted:
    """Points examined for one nearest neighbour among n = 2^level uniform points, in buckets of one point.

    ``over_bound_METRIC_LEVEL``: the mean over the bound of `examined_bound`, for each batch of the m queries.
    ``exponent_METRIC``: the exponent in n of the means, batch by batch.
    """
    means: dict[tuple[str, int], np.ndarray] = {}
    for level in EXAMINED_LEVELS:
        points, queries = draw_points(rng, "uniform", 1 << level, d, m)
        tree = _counters(implementation)(points, leaf_size=1)
        for metric in METRICS:
            counts = tree.nearest(queries, 1, metric)[:, 0]
            means[metric, level] = counts.reshape(BATCHES, -1).mean(axis=1)
    bounds = {
        f"over_bound_{metric}_{level}": (mean / examined_bound(d, metric)).tolist()
        for (metric, level), mean in means.items()
    }
    large = [level for level in EXAMINED_LEVELS if level >= EXPONENT_FROM]
    exponents = {
        f"exponent_{metric}": _exponents(large, [means[metric, level] for level in large]) for metric in METRICS
    }
    return {**bounds, **exponents}


def examined_bound(d: int, metric: str) -> float:
    """Friedman, Bentley and Finkel's bound for buckets of one point and one neighbour."""
    ratio = 1.0 if metric == "linf" else 2**d * math.gamma(d / 2 + 1) / math.pi ** (d / 2)
    return float((ratio ** (1 / d) + 1) ** d)


def partial_match(rng: np.random.Generator, implementation: Implementation, d: int) -> Counted:
    """``exponent_S``: the exponent in n of the nodes that partial matches with S random coordinates fixed visit.

    The fixed coordinates are those of a random point of the tree, which splits its dimensions in turn.
    """
    nodes: dict[int, list[np.ndarray]] = {1: [], 2: []}
    for level in PARTIAL_LEVELS:
        points, _ = draw_points(rng, "uniform", 1 << level, d, 0)
        tree = _counters(implementation)(points, leaf_size=1, cyclic=True)
        for fixed, means in nodes.items():
            values = points[rng.integers(len(points), size=PARTIAL_QUERIES)]
            masks = [rng.permutation(np.arange(d) < fixed) for _ in values]
            visited = [
                tree.partial_match(row[None], mask)[0, 1:].sum() for row, mask in zip(values, masks, strict=True)
            ]
            means.append(np.reshape(visited, (PARTIAL_BATCHES, -1)).mean(axis=1))
    return {f"exponent_{fixed}": _exponents(PARTIAL_LEVELS, means) for fixed, means in nodes.items()}


def visited(
    rng: np.random.Generator, implementation: Implementation, data: str, last_level: int, d: int, k: int, m: int
) -> Counted:
    """Inner nodes and leaves that a query visits in the tree that is timed, n = 2^10 to 2^``last_level``.

    ``r_squared``: of the straight line of their mean on log2 n; ``exponent``: of their mean in n; one per seed.
    """
    levels = range(10, last_level + 1)
    means = np.empty((len(levels), GROWTH_SEEDS))
    for row, level in enumerate(levels):
        for seed in range(GROWTH_SEEDS):
            points, queries = draw_points(rng, data, 1 << level, d, m)
            means[row, seed] = _counters(implementation)(points).nearest(queries, k)[:, 1:].sum(axis=1).mean()
    shares = [float(np.corrcoef(levels, means[:, seed])[0, 1] ** 2) for seed in range(GROWTH_SEEDS)]
    return {"r_squared": shares, "exponent": _exponents(levels, list(means))}


def best_bin_first(rng: np.random.Generator, implementation: Implementation, data: str, n: int, m: int) -> Counted:
    """Exact and approximate nearest-neighbour search of SIFT descriptors; one number per query each.

    ``examined_share``: points examined by the exact search over n. ``recall``: 1 where the approximate search with
    ``BUDGET`` checks in a tree with one point per leaf finds a neighbour as near as the nearest. ``fewer_coordinates``:
    coordinates that brute force reads over those that the approximate search reads, where an inner node counts as one
    and a heap operation as one per level of the heap.
    """
    points, queries = draw_points(rng, data, n, 128, m)
    exact = _counters(implementation)(points).nearest(queries, 1)
    found, _, counts = _counters(implementation)(points, leaf_size=1).best_bin_first(queries, 1, BUDGET)
    nearest = _nearest_distances(points, queries)
    examined_points, inner, leaves = counts.T
    read = examined_points * 128 + inner + (inner + leaves) * np.log2(inner + 1)
    return {
        "examined_share": (exact[:, 0] / n).tolist(),
        "recall": (found[:, 0] <= nearest * (1 + 1e-9)).astype(float).tolist(),
        "fewer_coordinates": (n * 128 / read).tolist(),
    }


def _exponents(levels: Sequence[int], means: Sequence[np.ndarray]) -> list[float]:
    """Slopes of log2 of the means, (batches,) for each level, on the level."""
    slopes = np.polyfit(np.asarray(levels), np.log2(np.stack(means)), 1)[0]
    return [float(slope) for slope in slopes]


def _nearest_distances(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Brute force; the expanded square is exact here, descriptors being integers whose squares stay below 2^53."""
    lengths = np.einsum("ij,ij->i", points, points)
    least = np.empty(len(queries))
    for start in range(0, len(queries), 100):
        block = queries[start : start + 100]
        squares = lengths - 2 * block @ points.T + np.einsum("ij,ij->i", block, block)[:, None]
        least[start : start + 100] = squares.min(axis=1)
    return np.sqrt(least)


def _counters(implementation: Implementation) -> Any:
    if implementation.counters is None:
        raise ValueError(f"{implementation.function.__module__} has no counters")
    return implementation.counters
