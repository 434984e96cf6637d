"""Depth-first k-nearest search in a tree of `knn_tree_build`, with an explicit stack and the distance to the cell.

Friedman, Bentley and Finkel 1977 with the incremental cell distance of Arya and Mount 1993: a cell's distance from
the query is kept as one offset per dimension, of which a step to the farther child replaces one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.knn.ranked_list import finish, offer, worst_place
from impls.building_blocks.knn.tree_build import Tree

CHUNK = 64
UNROLLED = 4
COUNTS = ("points_examined", "inner_visited", "leaves_visited")
# Trees below this size stay in a core's cache whatever the order of the queries.
REORDER_ABOVE_BYTES = 1 << 20


def nearest(tree: Tree, queries: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances (m, k) float64 and indices (m, k) int64, ascending."""
    return _search(tree, queries, k, metric, None)


def count_nearest(tree: Tree, queries: np.ndarray, k: int, metric: str) -> np.ndarray:
    """The same search, counting: (m, 3) int64 in the order of ``COUNTS``."""
    counts = np.zeros((len(queries), len(COUNTS)), dtype=np.int64)
    _search(tree, queries, k, metric, counts)
    return counts


def _search(
    tree: Tree, queries: np.ndarray, k: int, metric: str, counts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    m = len(queries)
    distances = np.empty((m, k), dtype=np.float64)
    indices = np.empty((m, k), dtype=np.int64)
    order = query_order(tree, queries)
    _nearest_many(*tree, queries, order, metric == "linf", distances, indices, counts)
    return distances, indices


def query_order(tree: Tree, queries: np.ndarray) -> np.ndarray:
    """The queries by the leaf they fall in, so that neighbours follow each other and find the cache warm."""
    if tree.blocks.nbytes < REORDER_ABOVE_BYTES:
        return np.arange(len(queries))
    return np.argsort(_leaf_of_each(tree.dims, tree.splits, queries), kind="stable")


@njit(cache=True, parallel=True)
def _leaf_of_each(dims: Any, splits: Any, queries: Any) -> Any:
    leaf = np.empty(len(queries), dtype=np.int32)
    for i in prange(len(queries)):
        node = 0
        while node < len(dims):
            node = 2 * node + 1 + (queries[i, dims[node]] >= splits[node])
        leaf[i] = node - len(dims)
    return leaf


@njit(cache=True, parallel=True)
def _nearest_many(
    dims: Any,
    splits: Any,
    blocks: Any,
    ids: Any,
    sizes: Any,
    queries: Any,
    order: Any,
    linf: bool,
    distances: Any,
    indices: Any,
    counts: Any,
) -> None:
    m, d = queries.shape
    depth = 2
    while (1 << depth) < 4 * (len(dims) + 1):
        depth += 1
    for chunk in prange((m + CHUNK - 1) // CHUNK):
        stack_nodes = np.empty(depth, dtype=np.int64)
        stack_dims = np.empty(depth, dtype=np.int64)
        stack_cells = np.empty(depth, dtype=np.float64)
        stack_offsets = np.empty(depth, dtype=np.float64)
        offsets = np.empty(d, dtype=np.float64)
        far = np.empty(blocks.shape[2], dtype=blocks.dtype)
        for position in range(chunk * CHUNK, min(m, (chunk + 1) * CHUNK)):
            i = order[position]
            _nearest_one(
                dims, splits, blocks, ids, sizes, queries[i], linf, distances[i], indices[i], offsets, far,
                stack_nodes, stack_dims, stack_cells, stack_offsets, None if counts is None else counts[i],
            )  # fmt: skip


@njit(cache=True)
def _nearest_one(
    dims: Any, splits: Any, blocks: Any, ids: Any, sizes: Any, query: Any, linf: bool, best: Any, chosen: Any,
    offsets: Any, far: Any, stack_nodes: Any, stack_dims: Any, stack_cells: Any, stack_offsets: Any, counts: Any,
) -> None:  # fmt: skip
    """One query. Distances are squared for L2; a stack entry with node -1 puts an offset back."""
    k = len(best)
    best[:] = np.inf
    chosen[:] = -1
    offsets[:] = 0.0
    worst = worst_place(k)
    node, cell, top = 0, 0.0, 0
    while True:
        while node < len(dims):
            dim = dims[node]
            gap = np.float64(query[dim]) - np.float64(splits[node])
            nearer = 2 * node + 1 + int(gap >= 0)
            farther = 4 * node + 3 - nearer
            far_cell = max(cell, abs(gap)) if linf else cell + (gap * gap - offsets[dim] * offsets[dim])
            if counts is not None:
                counts[1] += 1
            if far_cell < best[worst]:
                stack_nodes[top] = farther
                stack_dims[top] = dim
                stack_cells[top] = far_cell
                stack_offsets[top] = abs(gap)
                top += 1
            node = nearer
        leaf = node - len(dims)
        if counts is not None:
            counts[0] += sizes[leaf]
            counts[2] += 1
        examine_leaf(blocks[leaf], query, linf, far)
        for slot in range(sizes[leaf]):
            if far[slot] < best[worst]:
                offer(best, chosen, k, np.float64(far[slot]), ids[leaf, slot])
        node = -1
        while top > 0:
            top -= 1
            if stack_nodes[top] < 0:
                offsets[stack_dims[top]] = stack_offsets[top]
            elif stack_cells[top] < best[worst]:
                node, cell = stack_nodes[top], stack_cells[top]
                dim = stack_dims[top]
                stack_nodes[top] = -1
                offsets[dim], stack_offsets[top] = stack_offsets[top], offsets[dim]
                top += 1
                break
        if node < 0:
            break
    finish(best, chosen, k)
    if not linf:
        for place in range(k):
            best[place] = np.sqrt(best[place])


@njit(cache=True, fastmath={"contract"})
def examine_leaf(block: Any, query: Any, linf: bool, far: Any) -> None:
    """Distances (squared for L2) of all slots of a leaf ``block`` (d, capacity) into ``far`` (capacity,)."""
    d, capacity = block.shape
    if linf:
        far[:] = 0
        for j in range(d):
            q = query[j]
            for slot in range(capacity):
                far[slot] = max(far[slot], abs(block[j, slot] - q))
        return
    start = d % UNROLLED
    far[:] = 0
    for j in range(start):
        q = query[j]
        for slot in range(capacity):
            difference = block[j, slot] - q
            far[slot] += difference * difference
    # Several dimensions at once, because each pass over ``far`` costs a load and a store besides.
    for j in range(start, d, UNROLLED):
        q0, q1, q2, q3 = query[j], query[j + 1], query[j + 2], query[j + 3]
        for slot in range(capacity):
            a, b = block[j, slot] - q0, block[j + 1, slot] - q1
            c, e = block[j + 2, slot] - q2, block[j + 3, slot] - q3
            far[slot] += (a * a + b * b) + (c * c + e * e)
