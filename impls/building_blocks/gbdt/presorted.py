"""Exact boosting, compiled: every feature is sorted once, and each split partitions all sorted orders stably.

The rows of a node lie in the same place of every feature's order, so that a node is a range.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from harness.contract import thread_count
from impls.building_blocks.gbdt.losses import set_residuals
from impls.building_blocks.gbdt.nodes import (
    FOUND,
    NO_SPLIT,
    NODE,
    Growth,
    choose_split,
    may_split,
    record_split,
    set_leaves,
    take_largest_gain,
)
from impls.building_blocks.gbdt.trees import Forest, empty_forest, most_nodes
from suites.gbdt.suite import TIE

CANDIDATES_AT_ONCE = 256


class Sorted(NamedTuple):
    """Row numbers int32 and values float32 by feature, both (features, rows), in increasing order of the values."""

    order: np.ndarray
    values: np.ndarray


class Work(NamedTuple):
    """What growing a tree writes into; ``order`` and ``values`` are as in :class:`Sorted`, but within nodes."""

    nodes: np.ndarray
    found: np.ndarray
    order: np.ndarray
    values: np.ndarray
    goes_left: np.ndarray
    candidates: np.ndarray


def presort(x: np.ndarray) -> Sorted:
    """Sort every column of ``x`` (rows, features)."""
    columns = np.ascontiguousarray(x.T)
    order = np.empty(columns.shape, dtype=np.int32)

    def sort(f: int) -> None:
        order[f] = np.argsort(columns[f])
        columns[f] = columns[f][order[f]]

    with ThreadPoolExecutor(thread_count()) as pool:  # NumPy sorts without holding the interpreter's lock
        list(pool.map(sort, range(len(columns))))
    return Sorted(order, columns)


def fit_presorted(
    table: Sorted,
    y: np.ndarray,
    base: float,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    min_rows: int,
) -> Forest:
    """Fit ``rounds`` trees; the result's ``candidates`` counts the splits that were scored."""
    features, rows = table.order.shape
    size = most_nodes(rows, max_depth, max_leaves, min_rows)
    forest = empty_forest(rounds, size)
    work = Work(
        nodes=np.zeros(size, dtype=NODE),
        found=np.zeros((size, features), dtype=FOUND),
        order=np.empty_like(table.order),
        values=np.empty_like(table.values),
        goes_left=np.empty(rows, dtype=np.bool_),
        candidates=np.zeros(features, dtype=np.int64),
    )
    growth = Growth(max_depth, (size + 1) // 2, max_leaves > 0, min_rows)
    scores, residual, hessian = np.full(rows, base), np.empty(rows), np.empty(rows)
    for t in range(rounds):
        set_residuals(y, scores, loss == "logistic", residual, hessian)
        work.order[:] = table.order
        work.values[:] = table.values
        nodes = _grow(table, residual, growth, work, forest, t)
        forest.sizes[t] = nodes
        inside = work.order[0]
        set_leaves(work.nodes[:nodes], forest.left[t], inside, residual, hessian, shrinkage, scores, forest.value[t])
    return forest._replace(candidates=int(work.candidates.sum()))


@njit(cache=True)
def _grow(table: Sorted, residual: np.ndarray, growth: Growth, work: Work, forest: Forest, t: int) -> int:
    """Grow tree ``t`` level by level, or one split at a time if best first. Returns its number of nodes."""
    nodes, rows = work.nodes, len(residual)
    parents, waiting = np.empty(growth.most_leaves, dtype=np.int64), np.empty(len(nodes) + 1, dtype=np.int64)
    n_waiting, size, first_fresh = 0, 1, 0
    nodes[0]["start"], nodes[0]["stop"], nodes[0]["depth"], nodes[0]["gain"] = 0, rows, 0, 0.0
    while True:
        leaves = (size + 1) // 2
        if leaves == growth.most_leaves:
            return size
        _search(first_fresh, size, growth, nodes, work.found, work.order, work.values, residual, work.candidates)
        for node in range(first_fresh, size):
            if may_split(nodes, node, growth):
                choose_split(nodes, work.found, node)
            if nodes[node]["gain"] > 0.0:
                waiting[n_waiting] = node
                n_waiting += 1
        if n_waiting == 0:
            return size
        if growth.best_first:
            parents[0] = take_largest_gain(nodes, waiting, n_waiting)
            n_parents, n_waiting = 1, n_waiting - 1
        else:
            for k in range(n_waiting):
                parents[k] = waiting[k]
            n_parents, n_waiting = n_waiting, 0
        first_fresh = size
        for k in range(n_parents):
            _split(table, nodes, parents[k], size, work, forest, t)
            size += 2
        _partition(parents[:n_parents], nodes, work.goes_left, work.order, work.values)


@njit(cache=True)
def _split(table: Sorted, nodes: np.ndarray, node: int, left: int, work: Work, forest: Forest, t: int) -> None:
    """Record the split of ``node``: the threshold lies midway to the next value of the whole training set."""
    feature, position = nodes[node]["feature"], nodes[node]["bin"]
    value = work.values[feature, position]
    column = table.values[feature]
    after = column[np.searchsorted(column, value, side="right")]
    record_split(nodes, node, left, (np.float64(value) + np.float64(after)) / 2, forest, t)
    start, stop = nodes[node]["start"], nodes[node]["stop"]
    nodes[left]["start"], nodes[left]["stop"] = start, position + 1
    nodes[left + 1]["start"], nodes[left + 1]["stop"] = position + 1, stop
    for i in range(start, stop):
        work.goes_left[work.order[feature, i]] = i <= position


@njit(cache=True, parallel=True)
def _partition(
    parents: np.ndarray, nodes: np.ndarray, goes_left: np.ndarray, order: np.ndarray, values: np.ndarray
) -> None:
    features, rows = order.shape
    for f in prange(features):
        own_order, own_values = order[f], values[f]
        right_order, right_values = np.empty(rows, dtype=np.int32), np.empty(rows, dtype=np.float32)
        for node in parents:
            left, right = nodes[node]["start"], 0
            for i in range(nodes[node]["start"], nodes[node]["stop"]):
                row, value = own_order[i], own_values[i]
                own_order[left] = row  # written to both sides and kept on one: no branch to mispredict
                own_values[left] = value
                right_order[right] = row
                right_values[right] = value
                left += goes_left[row]
                right += not goes_left[row]
            for i in range(right):
                own_order[left + i] = right_order[i]
                own_values[left + i] = right_values[i]


@njit(cache=True, parallel=True)
def _search(
    first: int,
    last: int,
    growth: Growth,
    nodes: np.ndarray,
    found: np.ndarray,
    order: np.ndarray,
    values: np.ndarray,
    residual: np.ndarray,
    candidates: np.ndarray,
) -> None:
    """Find the best split of every feature in the nodes from ``first`` to before ``last``."""
    min_rows = growth.min_rows
    for f in prange(len(order)):
        sums, scores = np.empty(CANDIDATES_AT_ONCE), np.empty(CANDIDATES_AT_ONCE)
        for node in range(first, last):
            if may_split(nodes, node, growth):
                start, stop = nodes[node]["start"], nodes[node]["stop"]
                score, gain, position, scored = _scan(
                    order[f, start:stop], values[f, start:stop], residual, min_rows, sums, scores
                )
                found[node, f]["score"], found[node, f]["gain"] = score, gain
                found[node, f]["bin"] = start + position
                candidates[f] += scored


@njit(cache=True, fastmath={"nnan", "nsz", "contract"})
def _scan(
    order: np.ndarray, values: np.ndarray, residual: np.ndarray, min_rows: int, sums: np.ndarray, scores: np.ndarray
) -> tuple[float, float, int, int]:
    """The best split of sorted rows: (score, gain, last position on the left, candidates scored)."""
    rows, total = len(order), 0.0
    for row in order:
        total += residual[row]
    best, chosen, candidates, running = NO_SPLIT, 0, 0, 0.0
    for begin in range(0, rows - 1, CANDIDATES_AT_ONCE):
        count = min(CANDIDATES_AT_ONCE, rows - 1 - begin)
        for j in range(count):
            running += residual[order[begin + j]]
            sums[j] = running
        largest = NO_SPLIT
        for j in range(count):
            left, left_rows = sums[j], float(begin + j + 1)
            right, right_rows = total - left, rows - left_rows
            apart = values[begin + j] != values[begin + j + 1]
            candidates += apart
            score = (left * left * right_rows + right * right * left_rows) / (left_rows * right_rows)
            allowed = apart & (left_rows >= min_rows) & (right_rows >= min_rows)
            scores[j] = score if allowed else NO_SPLIT
            largest = max(largest, scores[j])
        if largest > best * (1 + TIE) or best == NO_SPLIT < largest:
            best, j = largest, 0
            while scores[j] < largest * (1 - TIE):
                j += 1
            chosen = begin + j
    return best, best - total * total / rows, chosen, candidates
