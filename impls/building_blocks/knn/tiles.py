"""Tiled brute force in Numba: direct differences in few dimensions, a BLAS product as a filter in many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from impls.building_blocks.knn.checks import Answer, squared_limit
from impls.building_blocks.knn.ragged import collect
from impls.building_blocks.knn.ranked_list import finish, offer, worst_place
from impls.building_blocks.knn.tree_search import examine_leaf

TILE = 256  # points whose distances are held at once; (d, TILE) stays in the first cache for few dimensions
QUERIES_PER_TASK = 16
STRIPE = 16  # distances that are compared with the worst at once
PRODUCT_TILE = 512
PRODUCT_QUERIES = 256
# Where the product's speed pays for its own pass over memory.
PRODUCT_FROM = 16


class Prepared(NamedTuple):
    """Points laid out for one of the two ways; the other's arrays are empty.

    :param tiles: (tiles, d, TILE), padded with infinity.
    :param extended: (n, d + 1), the points less ``centre`` (d,) and, last, their squared lengths.
    """

    points: np.ndarray
    tiles: np.ndarray
    centre: np.ndarray
    extended: np.ndarray


def prepare(points: np.ndarray, metric: str) -> Prepared:
    """Lay points (n, d) out for searches in ``metric``."""
    n, d = points.shape
    if metric == "l2" and d >= PRODUCT_FROM:
        centre = points.mean(axis=0, dtype=np.float64).astype(points.dtype)
        extended = np.empty((n, d + 1), dtype=points.dtype)
        np.subtract(points, centre, out=extended[:, :d])
        np.einsum("ij,ij->i", extended[:, :d], extended[:, :d], out=extended[:, d])
        return Prepared(points, np.empty((0, d, TILE), dtype=points.dtype), centre, extended)
    count = -(-n // TILE)
    rows = np.full((count * TILE, d), np.inf, dtype=points.dtype)
    rows[:n] = points
    tiles = np.ascontiguousarray(rows.reshape(count, TILE, d).transpose(0, 2, 1))
    return Prepared(points, tiles, points[:0], points[:0])


def nearest(prepared: Prepared, queries: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances (m, k) float64 and indices (m, k) int64, ascending."""
    m = len(queries)
    distances = np.full((m, k), np.inf)
    indices = np.full((m, k), -1, dtype=np.int64)
    if len(prepared.extended):
        for rows, first, product, level in _products(prepared, queries):
            _nearest_filtered(prepared.points, queries, rows, first, product, level, distances, indices)
        _finish_all(distances, indices)
    else:
        _nearest_tiled(prepared.tiles, queries, metric == "linf", distances, indices)
    return distances, indices


def within(prepared: Prepared, queries: np.ndarray, radius: float, closed: bool, metric: str) -> Answer:
    """All points within ``radius``, sorted by distance, in compressed-row form."""
    linf = metric == "linf"
    limit = (radius if closed else float(np.nextafter(radius, -np.inf))) if linf else squared_limit(radius, closed)

    def search_into(
        selected: np.ndarray,
        starts: np.ndarray,
        rooms: np.ndarray,
        distances: np.ndarray,
        indices: np.ndarray,
        found: np.ndarray,
    ) -> None:
        if not len(prepared.extended):
            _range_tiled(
                prepared.tiles, queries, selected, linf, limit, starts, rooms, distances, indices,
                found,
            )  # fmt: skip
            return
        found[selected] = 0
        for rows, first, product, level in _products(prepared, queries[selected]):
            _range_filtered(
                prepared.points, queries, selected[rows], first, product, level, limit, starts, rooms, distances,
                indices, found,
            )  # fmt: skip

    return collect(search_into, len(queries), squared=not linf)


def _products(prepared: Prepared, queries: np.ndarray) -> Iterator[tuple[np.ndarray, int, np.ndarray, np.ndarray]]:
    """Blocks of queries times tiles of points.

    Yields the rows of the queries, the first point, |x|^2 - 2 qx (b, tile) and ``level`` (b,): a squared distance is at
    most s only if its product is at most ``s + level``. The level is minus the query's own squared length plus the most
    that rounding can take away.
    """
    n, width = prepared.extended.shape
    d = width - 1
    centred = queries - prepared.centre
    own = np.einsum("ij,ij->i", centred, centred).astype(np.float64)
    epsilon = float(np.finfo(queries.dtype).eps)
    level = 4 * (d + 4) * epsilon * (own + float(prepared.extended[:, d].max())) - own
    doubled = np.ones((len(queries), width), dtype=queries.dtype)
    np.multiply(centred, -2, out=doubled[:, :d])
    for start in range(0, len(queries), PRODUCT_QUERIES):
        rows = np.arange(start, min(len(queries), start + PRODUCT_QUERIES))
        for first in range(0, n, PRODUCT_TILE):
            product = doubled[start : start + PRODUCT_QUERIES] @ prepared.extended[first : first + PRODUCT_TILE].T
            yield rows, first, product, level[rows]


@njit(cache=True, parallel=True)
def _nearest_filtered(
    points: Any, queries: Any, rows: Any, first: int, product: Any, level: Any, distances: Any, indices: Any
) -> None:
    k = distances.shape[1]
    worst = worst_place(k)
    for b in prange(len(rows)):
        i = rows[b]
        best, row = distances[i], product[b]
        for start in range(0, len(row), STRIPE):
            end = min(len(row), start + STRIPE)
            bound = row.dtype.type(best[worst] + level[b])
            # Counts instead of stopping at the first, because only then it is done in vector registers.
            below = 0
            for p in range(start, end):
                below += row[p] <= bound
            if below == 0:
                continue
            for p in range(start, end):
                if row[p] <= best[worst] + level[b]:
                    square = _square(points, first + p, queries, i)
                    if square < best[worst]:
                        offer(best, indices[i], k, square, first + p)


@njit(cache=True, parallel=True)
def _range_filtered(
    points: Any, queries: Any, rows: Any, first: int, product: Any, level: Any, limit: float, starts: Any, rooms: Any,
    distances: Any, indices: Any, found: Any,
) -> None:  # fmt: skip
    for b in prange(len(rows)):
        i, row = rows[b], product[b]
        bound = row.dtype.type(limit + level[b])
        for start in range(0, len(row), STRIPE):
            end = min(len(row), start + STRIPE)
            below = 0
            for p in range(start, end):
                below += row[p] <= bound
            if below == 0:
                continue
            for p in range(start, end):
                if row[p] <= bound:
                    square = _square(points, first + p, queries, i)
                    if square <= limit:
                        if found[i] < rooms[i]:
                            distances[starts[i] + found[i]] = square
                            indices[starts[i] + found[i]] = first + p
                        found[i] += 1


@njit(cache=True)
def _square(points: Any, p: int, queries: Any, i: int) -> float:
    total = 0.0
    for j in range(points.shape[1]):
        difference = np.float64(points[p, j]) - np.float64(queries[i, j])
        total += difference * difference
    return total


@njit(cache=True, parallel=True)
def _finish_all(distances: Any, indices: Any) -> None:
    k = distances.shape[1]
    for i in prange(len(distances)):
        finish(distances[i], indices[i], k)
        for place in range(k):
            distances[i, place] = np.sqrt(distances[i, place])


@njit(cache=True, parallel=True)
def _nearest_tiled(tiles: Any, queries: Any, linf: bool, distances: Any, indices: Any) -> None:
    m, k = distances.shape
    worst = worst_place(k)
    for task in prange((m + QUERIES_PER_TASK - 1) // QUERIES_PER_TASK):
        far = np.empty(TILE, dtype=tiles.dtype)
        rows = range(task * QUERIES_PER_TASK, min(m, (task + 1) * QUERIES_PER_TASK))
        for tile in range(len(tiles)):
            for i in rows:
                best = distances[i]
                examine_leaf(tiles[tile], queries[i], linf, far)
                for start in range(0, TILE, STRIPE):
                    below = 0
                    for slot in range(start, start + STRIPE):
                        below += far[slot] < best[worst]
                    if below == 0:
                        continue
                    for slot in range(start, start + STRIPE):
                        if far[slot] < best[worst]:
                            offer(best, indices[i], k, np.float64(far[slot]), tile * TILE + slot)
        for i in rows:
            finish(distances[i], indices[i], k)
            if not linf:
                for place in range(k):
                    distances[i, place] = np.sqrt(distances[i, place])


@njit(cache=True, parallel=True)
def _range_tiled(
    tiles: Any, queries: Any, selected: Any, linf: bool, limit: float, starts: Any, rooms: Any, distances: Any,
    indices: Any, found: Any,
) -> None:  # fmt: skip
    for task in prange((len(selected) + QUERIES_PER_TASK - 1) // QUERIES_PER_TASK):
        far = np.empty(TILE, dtype=tiles.dtype)
        rows = selected[task * QUERIES_PER_TASK : (task + 1) * QUERIES_PER_TASK]
        found[rows] = 0
        for tile in range(len(tiles)):
            for i in rows:
                examine_leaf(tiles[tile], queries[i], linf, far)
                for start in range(0, TILE, STRIPE):
                    inside = 0
                    for slot in range(start, start + STRIPE):
                        inside += far[slot] <= limit
                    if inside == 0:
                        continue
                    for slot in range(start, start + STRIPE):
                        if far[slot] <= limit:
                            if found[i] < rooms[i]:
                                distances[starts[i] + found[i]] = far[slot]
                                indices[starts[i] + found[i]] = tile * TILE + slot
                            found[i] += 1
