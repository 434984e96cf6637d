"""Range and partial-match search in a tree of `knn_tree_build` (Bentley 1975), depth first with an explicit stack."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.knn.checks import Answer, squared_limit
from impls.building_blocks.knn.ragged import collect
from impls.building_blocks.knn.tree_build import Tree
from impls.building_blocks.knn.tree_search import CHUNK, examine_leaf, query_order

# The distance to a cell is kept by additions and subtractions; one at the radius itself must not be lost to rounding.
CELL_SLACK = 1e-12


def within(tree: Tree, queries: np.ndarray, radius: float, closed: bool, metric: str) -> Answer:
    """All points within ``radius`` of each query, sorted by distance, in compressed-row form."""
    linf = metric == "linf"
    edge = radius if closed else float(np.nextafter(radius, -np.inf))
    limit = edge if linf else squared_limit(radius, closed)

    def search_into(
        selected: np.ndarray,
        starts: np.ndarray,
        rooms: np.ndarray,
        distances: np.ndarray,
        indices: np.ndarray,
        found: np.ndarray,
    ) -> None:
        order = selected[query_order(tree, queries[selected])]
        _range_many(*tree, queries, order, linf, limit, starts, rooms, distances, indices, found)

    return collect(search_into, len(queries), squared=not linf)


@njit(cache=True, parallel=True)
def _range_many(
    dims: Any, splits: Any, blocks: Any, ids: Any, sizes: Any, queries: Any, order: Any, linf: bool, limit: float,
    starts: Any, rooms: Any, distances: Any, indices: Any, found: Any,
) -> None:  # fmt: skip
    d = queries.shape[1]
    depth = 2
    while (1 << depth) < 4 * (len(dims) + 1):
        depth += 1
    for chunk in prange((len(order) + CHUNK - 1) // CHUNK):
        stack_nodes = np.empty(depth, dtype=np.int64)
        stack_dims = np.empty(depth, dtype=np.int64)
        stack_cells = np.empty(depth, dtype=np.float64)
        stack_offsets = np.empty(depth, dtype=np.float64)
        offsets = np.empty(d, dtype=np.float64)
        far = np.empty(blocks.shape[2], dtype=blocks.dtype)
        for position in range(chunk * CHUNK, min(len(order), (chunk + 1) * CHUNK)):
            i = order[position]
            slots = slice(starts[i], starts[i] + rooms[i])
            found[i] = _range_one(
                dims, splits, blocks, ids, sizes, queries[i], linf, limit, distances[slots], indices[slots],
                offsets, far, stack_nodes, stack_dims, stack_cells, stack_offsets,
            )  # fmt: skip


@njit(cache=True)
def _range_one(
    dims: Any, splits: Any, blocks: Any, ids: Any, sizes: Any, query: Any, linf: bool, limit: float, distances: Any,
    indices: Any, offsets: Any, far: Any, stack_nodes: Any, stack_dims: Any, stack_cells: Any, stack_offsets: Any,
) -> int:  # fmt: skip
    """Write as many hits as there is room for and return how many there are."""
    reach = limit * (1.0 + CELL_SLACK)
    offsets[:] = 0.0
    count, room = 0, len(distances)
    node, cell, top = 0, 0.0, 0
    while True:
        while node < len(dims):
            dim = dims[node]
            gap = np.float64(query[dim]) - np.float64(splits[node])
            nearer = 2 * node + 1 + int(gap >= 0)
            far_cell = max(cell, abs(gap)) if linf else cell + (gap * gap - offsets[dim] * offsets[dim])
            if far_cell <= reach:
                stack_nodes[top] = 4 * node + 3 - nearer
                stack_dims[top] = dim
                stack_cells[top] = far_cell
                stack_offsets[top] = abs(gap)
                top += 1
            node = nearer
        leaf = node - len(dims)
        examine_leaf(blocks[leaf], query, linf, far)
        for slot in range(sizes[leaf]):
            if far[slot] <= limit:
                if count < room:
                    distances[count] = far[slot]
                    indices[count] = ids[leaf, slot]
                count += 1
        node = -1
        while top > 0 and node < 0:
            top -= 1
            if stack_nodes[top] < 0:
                offsets[stack_dims[top]] = stack_offsets[top]
            else:
                node, cell = stack_nodes[top], stack_cells[top]
                dim = stack_dims[top]
                stack_nodes[top] = -1
                offsets[dim], stack_offsets[top] = stack_offsets[top], offsets[dim]
        if node < 0:
            return count
        top += 1


def count_partial_match(tree: Tree, values: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Nodes visited, (m, 3) int64 as in `knn_tree_search.COUNTS`, by searches for points that agree with a query.

    :param values: (m, d) the queries' coordinates.
    :param fixed: (d,) bool, the dimensions that have to agree; the others are free.
    """
    counts = np.zeros((len(values), 3), dtype=np.int64)
    _partial_match_many(tree.dims, tree.splits, tree.sizes, values, fixed, counts)
    return counts


@njit(cache=True)
def _partial_match_many(dims: Any, splits: Any, sizes: Any, values: Any, fixed: Any, counts: Any) -> None:
    stack = np.empty(64, dtype=np.int64)
    for i in range(len(values)):
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            if node >= len(dims):
                counts[i, 0] += sizes[node - len(dims)]
                counts[i, 2] += 1
                continue
            counts[i, 1] += 1
            dim = dims[node]
            # Equal coordinates may lie on either side of the median.
            if not fixed[dim] or values[i, dim] <= splits[node]:
                stack[top] = 2 * node + 1
                top += 1
            if not fixed[dim] or values[i, dim] >= splits[node]:
                stack[top] = 2 * node + 2
                top += 1
