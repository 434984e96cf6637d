"""Best-bin-first approximate search (Beis and Lowe 1997; Arya and Mount 1993) in a tree of `knn_tree_build`.

One priority queue holds the unvisited children, keyed by the distance to their cells. The answer may miss neighbours:
it is for recall studies and never stands beside exact searches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from impls.building_blocks.knn.ranked_list import finish, offer, worst_place
from impls.building_blocks.knn.tree_build import Tree
from impls.building_blocks.knn.tree_search import examine_leaf


def best_bin_first(tree: Tree, queries: np.ndarray, k: int, checks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances and indices, both (m, k) ascending, and counts (m, 3) as in `knn_tree_search.COUNTS`.

    A search ends once ``checks`` points are examined or the nearest unvisited cell is farther than the k-th best.
    Where fewer than k points were examined the rest is at distance infinity with index -1.
    """
    m = len(queries)
    distances = np.empty((m, k), dtype=np.float64)
    indices = np.empty((m, k), dtype=np.int64)
    counts = np.zeros((m, 3), dtype=np.int64)
    _search_many(*tree, queries, checks, distances, indices, counts)
    return distances, indices, counts


@njit(cache=True)
def _search_many(
    dims: Any, splits: Any, blocks: Any, ids: Any, sizes: Any, queries: Any, checks: int, distances: Any, indices: Any,
    counts: Any,
) -> None:  # fmt: skip
    m, d = queries.shape
    k = distances.shape[1]
    depth = 1
    while (1 << depth) < len(dims) + 2:
        depth += 1
    # A leaf adds at most one sibling per level, at least every second one holds a point, and no node is pushed twice.
    room = min(len(dims) + 1, (2 * checks + 2) * depth) + 1
    heap_cells = np.empty(room, dtype=np.float64)
    heap_nodes = np.empty(room, dtype=np.int64)
    heap_rows = np.empty(room, dtype=np.int64)
    # The offsets of a cell are its parent's but for one dimension, so rows are written once and never shared.
    rows = np.empty((room, d), dtype=np.float64)
    offsets = np.empty(d, dtype=np.float64)
    far = np.empty(blocks.shape[2], dtype=blocks.dtype)
    for i in range(m):
        best, chosen, query = distances[i], indices[i], queries[i]
        best[:] = np.inf
        chosen[:] = -1
        offsets[:] = 0.0
        worst = worst_place(k)
        node, cell, size, used = 0, 0.0, 0, 0
        while True:
            while node < len(dims):
                counts[i, 1] += 1
                dim = dims[node]
                gap = np.float64(query[dim]) - np.float64(splits[node])
                nearer = 2 * node + 1 + int(gap >= 0)
                far_cell = cell + (gap * gap - offsets[dim] * offsets[dim])
                if far_cell < best[worst] and used < room:
                    rows[used] = offsets
                    rows[used, dim] = abs(gap)
                    _push(heap_cells, heap_nodes, heap_rows, size, far_cell, 4 * node + 3 - nearer, used)
                    size += 1
                    used += 1
                node = nearer
            leaf = node - len(dims)
            examine_leaf(blocks[leaf], query, False, far)
            counts[i, 2] += 1
            for slot in range(sizes[leaf]):
                if counts[i, 0] >= checks:
                    break
                counts[i, 0] += 1
                if far[slot] < best[worst]:
                    offer(best, chosen, k, np.float64(far[slot]), ids[leaf, slot])
            if counts[i, 0] >= checks or size == 0 or heap_cells[0] >= best[worst]:
                break
            cell, node = heap_cells[0], heap_nodes[0]
            offsets[:] = rows[heap_rows[0]]
            size -= 1
            _pop(heap_cells, heap_nodes, heap_rows, size)
        finish(best, chosen, k)
        for place in range(k):
            best[place] = np.sqrt(best[place])


@njit(cache=True)
def _push(cells: Any, nodes: Any, rows: Any, size: int, cell: float, node: int, row: int) -> None:
    place = size
    while place > 0 and cells[(place - 1) // 2] > cell:
        parent = (place - 1) // 2
        cells[place], nodes[place], rows[place] = cells[parent], nodes[parent], rows[parent]
        place = parent
    cells[place], nodes[place], rows[place] = cell, node, row


@njit(cache=True)
def _pop(cells: Any, nodes: Any, rows: Any, size: int) -> None:
    """Remove the root; the last entry, at ``size``, takes a place among the others."""
    cell, node, row = cells[size], nodes[size], rows[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and cells[child + 1] < cells[child]:
            child += 1
        if cells[child] >= cell:
            break
        cells[place], nodes[place], rows[place] = cells[child], nodes[child], rows[child]
        place = child
    cells[place], nodes[place], rows[place] = cell, node, row
