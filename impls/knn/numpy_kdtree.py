"""k-d tree in NumPy: implicit nodes i -> 2i+1, 2i+2, median splits by `argpartition`, all queries in lockstep.

Every round takes each unfinished query from its node down to one leaf, examines that leaf, and pops its next node, so
that the interpreter's cost is paid per round and not per query.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.knn.checks import Answer, reject_nan, rows_of_k, sorted_rows, squared_limit
from suites.knn.suite import SUITE

LEAF_SIZE = 32
CELL_SLACK = 1 + 1e-12


class Tree:
    """Perfect in shape: all leaves on one level, sizes within one of each other, the missing slots at infinity."""

    def __init__(self, points: np.ndarray) -> None:
        n = len(points)
        self.levels = max(0, int(np.ceil(np.log2(n / LEAF_SIZE))))
        order = np.arange(n)
        self.inner = (1 << self.levels) - 1
        self.dims = np.zeros(self.inner, dtype=np.int64)
        self.splits = np.zeros(self.inner)
        for node in range(self.inner):
            level = (node + 1).bit_length() - 1
            place = node + 1 - (1 << level)
            low, high = (place * n) >> level, ((place + 1) * n) >> level
            middle = ((2 * place + 1) * n) >> (level + 1)
            members = order[low:high]
            self.dims[node] = dim = int(np.argmax(np.ptp(points[members], axis=0)))
            split = np.argpartition(points[members, dim], middle - low)
            order[low:high] = members[split]
            self.splits[node] = points[order[middle], dim]
        edges = (np.arange((1 << self.levels) + 1) * n) >> self.levels
        self.sizes = np.diff(edges)
        slots = edges[:-1, None] + np.arange(self.sizes.max())
        used = np.arange(self.sizes.max()) < self.sizes[:, None]
        self.ids = np.where(used, order[np.minimum(slots, n - 1)], -1)
        self.members = np.where(used[..., None], points[self.ids], np.inf)


class Lockstep:
    """The state of the searches of all queries (m, d); distances are squared for L2."""

    def __init__(self, tree: Tree, queries: np.ndarray, metric: str, worst: np.ndarray) -> None:
        m, d = queries.shape
        self.tree, self.queries, self.linf, self.worst = tree, queries, metric == "linf", worst
        self.nodes = np.zeros(m, dtype=np.int64)
        self.cells = np.zeros(m)
        self.offsets = np.zeros((m, d))
        self.top = np.zeros(m, dtype=np.int64)
        self.stack_nodes = np.zeros((m, tree.levels + 1), dtype=np.int64)
        self.stack_cells = np.zeros((m, tree.levels + 1))
        self.stack_offsets = np.zeros((m, tree.levels + 1, d))

    def leaves(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Rows of the unfinished queries, the leaf each is at and its distances (rows, slots); a round per item.

        The caller may lower ``worst`` between rounds.
        """
        rows = np.arange(len(self.queries))
        while len(rows):
            for _ in range(self.tree.levels):
                self._descend(rows[self.nodes[rows] < self.tree.inner])
            leaves = self.nodes[rows] - self.tree.inner
            difference = self.tree.members[leaves] - self.queries[rows, None, :]
            if self.linf:
                yield rows, leaves, np.abs(difference).max(axis=2)
            else:
                yield rows, leaves, np.einsum("ijk,ijk->ij", difference, difference)
            rows = self._pop(rows)

    def _descend(self, rows: np.ndarray) -> None:
        nodes = self.nodes[rows]
        dims = self.tree.dims[nodes]
        gaps = self.queries[rows, dims] - self.tree.splits[nodes]
        nearer = 2 * nodes + 1 + (gaps >= 0)
        cells, old = self.cells[rows], self.offsets[rows, dims]
        beyond = np.maximum(cells, np.abs(gaps)) if self.linf else cells - old * old + gaps * gaps
        self.nodes[rows] = nearer
        kept = beyond <= self.worst[rows] * CELL_SLACK
        pushed, top = rows[kept], self.top[rows[kept]]
        self.stack_nodes[pushed, top] = (4 * nodes + 3 - nearer)[kept]
        self.stack_cells[pushed, top] = beyond[kept]
        self.stack_offsets[pushed, top] = self.offsets[pushed]
        self.stack_offsets[pushed, top, dims[kept]] = np.abs(gaps[kept])
        self.top[pushed] += 1

    def _pop(self, rows: np.ndarray) -> np.ndarray:
        """Give each query its next node within ``worst``; return those that have one, in order."""
        found = np.zeros(len(self.queries), dtype=bool)
        while len(rows := rows[self.top[rows] > 0]):
            self.top[rows] -= 1
            top = self.top[rows]
            near = self.stack_cells[rows, top] <= self.worst[rows] * CELL_SLACK
            taken, at = rows[near], top[near]
            self.nodes[taken] = self.stack_nodes[taken, at]
            self.cells[taken] = self.stack_cells[taken, at]
            self.offsets[taken] = self.stack_offsets[taken, at]
            found[taken] = True
            rows = rows[~near]
        return np.flatnonzero(found)


# In more dimensions nearly every query visits nearly every leaf, a round for each.
@implements(SUITE, dtypes=("float64", "float32"), limits={"n": 300_000, "d": 8})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    reject_nan("points", points)
    tree = Tree(points.astype(np.float64))
    yield None
    reject_nan("queries", queries)
    wide = queries.astype(np.float64)
    if search == "nearest":
        distances, indices = _nearest(tree, wide, k, metric)
        yield rows_of_k(distances if metric == "linf" else np.sqrt(distances), indices)
    else:
        yield _within(tree, wide, radius, closed, metric)


def _nearest(tree: Tree, queries: np.ndarray, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    m = len(queries)
    best, chosen = np.full((m, k), np.inf), np.full((m, k), -1)
    worst = np.full(m, np.inf)
    for rows, leaves, far in Lockstep(tree, queries, metric, worst).leaves():
        distances = np.concatenate([best[rows], far], axis=1)
        indices = np.concatenate([chosen[rows], tree.ids[leaves]], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        best[rows] = np.take_along_axis(distances, order, axis=1)
        chosen[rows] = np.take_along_axis(indices, order, axis=1)
        worst[rows] = best[rows, -1]
    return best, chosen


def _within(tree: Tree, queries: np.ndarray, radius: float, closed: bool, metric: str) -> Answer:
    m = len(queries)
    open_edge = float(np.nextafter(radius, -np.inf))
    edge = (radius if closed else open_edge) if metric == "linf" else squared_limit(radius, closed)
    owners, distances, indices = [], [], []
    for rows, leaves, far in Lockstep(tree, queries, metric, np.full(m, edge)).leaves():
        row, slot = np.nonzero(far <= edge)
        owners.append(rows[row])
        distances.append(far[row, slot])
        indices.append(tree.ids[leaves[row], slot])
    owner, far = np.concatenate(owners), np.concatenate(distances)
    order = np.argsort(owner, kind="stable")
    far = far if metric == "linf" else np.sqrt(far)
    return sorted_rows(far[order], np.concatenate(indices)[order], np.bincount(owner, minlength=m))
