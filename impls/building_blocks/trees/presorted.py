"""Growth of one tree with exact search, compiled: features are sorted once, each split partitions all orders stably.

The rows of a node lie in the same place of every feature's order, so that a node is a range. What is searched for is
the caller's: see :mod:`impls.building_blocks.trees.gain`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from harness.contract import thread_count
from impls.building_blocks.trees.arrays import Forest
from impls.building_blocks.trees.gain import NO_SPLIT, REORDER, TIE, node_score, split_score
from impls.building_blocks.trees.nodes import (
    FOUND,
    NODE,
    Growth,
    choose_split,
    may_split,
    record_split,
    take_largest_gain,
)

CANDIDATES_AT_ONCE = 256


class Sorted(NamedTuple):
    """Row numbers int32 and values (of the table's dtype), both (features, rows), in increasing order of the values."""

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


def empty_work(table: Sorted, size: int) -> Work:
    """Room for trees of at most ``size`` nodes; a new tree begins with a copy of ``table`` in it."""
    features, rows = table.order.shape
    return Work(
        nodes=np.zeros(size, dtype=NODE),
        found=np.zeros((size, features), dtype=FOUND),
        order=np.empty_like(table.order),
        values=np.empty_like(table.values),
        goes_left=np.empty(rows, dtype=np.bool_),
        candidates=np.zeros(features, dtype=np.int64),
    )


@njit(cache=True)
def grow_presorted(
    table: Sorted,
    sums: np.ndarray,
    weights: np.ndarray | None,
    growth: Growth,
    gain: Any,
    work: Work,
    forest: Forest,
    t: int,
) -> int:
    """Grow tree ``t`` level by level, or one split at a time if best first. Returns its number of nodes.

    ``sums`` and ``weights`` float64 (rows,) are what a row adds to its side; without ``weights`` every row weighs 1.
    ``gain`` is a tuple known to :mod:`impls.building_blocks.trees.gain`. ``work.order`` and ``work.values`` begin as
    copies of ``table``.
    """
    nodes, rows = work.nodes, len(sums)
    parents, waiting = np.empty(growth.most_leaves, dtype=np.int64), np.empty(len(nodes) + 1, dtype=np.int64)
    nodes[0]["start"], nodes[0]["stop"], nodes[0]["depth"], nodes[0]["gain"] = 0, rows, 0, 0.0
    first_fresh: int = nodes[0]["start"]  # a literal 0 or 1 would have _search compiled for literals as well
    n_waiting, size = 0, first_fresh + 1
    while True:
        leaves = (size + 1) // 2
        if leaves == growth.most_leaves:
            return size
        _search(
            first_fresh,
            size,
            growth,
            gain,
            nodes,
            work.found,
            work.order,
            work.values,
            sums,
            weights,
            work.candidates,
        )
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
        right_order, right_values = np.empty(rows, dtype=np.int32), np.empty(rows, dtype=values.dtype)
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
    gain: Any,
    nodes: np.ndarray,
    found: np.ndarray,
    order: np.ndarray,
    values: np.ndarray,
    sums: np.ndarray,
    weights: np.ndarray | None,
    candidates: np.ndarray,
) -> None:
    """Find the best split of every feature in the nodes from ``first`` to before ``last``."""
    for f in prange(len(order)):
        scratch = np.empty((3, CANDIDATES_AT_ONCE))
        for node in range(first, last):
            if may_split(nodes, node, growth):
                start, stop = nodes[node]["start"], nodes[node]["stop"]
                score, gained, position, scored = scan(
                    order[f, start:stop], values[f, start:stop], sums, weights, growth.min_rows, gain, scratch
                )
                found[node, f]["score"], found[node, f]["gain"] = score, gained
                found[node, f]["bin"] = start + position
                candidates[f] += scored


@njit(cache=True, fastmath=REORDER)
def scan(
    order: np.ndarray,
    values: np.ndarray,
    sums: np.ndarray,
    weights: np.ndarray | None,
    min_rows: int,
    gain: Any,
    scratch: np.ndarray,
) -> tuple[float, float, int, int]:
    """The best split of sorted rows: (score, gain, last position on the left, candidates scored).

    ``order`` and ``values`` are those of one node and feature, ``scratch`` is float64 (3, 256).
    """
    rows, total, weight = len(order), 0.0, 0.0
    for row in order:
        total += sums[row]
        if weights is not None:  # decided when compiled, like the others
            weight += weights[row]
    if weights is None:
        weight = float(rows)
    lefts, left_weights, scores = scratch[0], scratch[1], scratch[2]
    best, chosen, candidates, running, running_weight = NO_SPLIT, 0, 0, 0.0, 0.0
    for begin in range(0, rows - 1, CANDIDATES_AT_ONCE):
        count = min(CANDIDATES_AT_ONCE, rows - 1 - begin)
        for j in range(count):
            row = order[begin + j]
            running += sums[row]
            lefts[j] = running
            if weights is None:
                left_weights[j] = float(begin + j + 1)
            else:
                running_weight += weights[row]
                left_weights[j] = running_weight
        largest = NO_SPLIT
        for j in range(count):
            left_rows = float(begin + j + 1)
            apart = values[begin + j] != values[begin + j + 1]
            candidates += apart
            score = split_score(gain, lefts[j], left_weights[j], total - lefts[j], weight - left_weights[j])
            allowed = apart & (left_rows >= min_rows) & (rows - left_rows >= min_rows)
            scores[j] = score if allowed else NO_SPLIT
            largest = max(largest, scores[j])
        if largest > best * (1 + TIE) or best == NO_SPLIT < largest:
            best, j = largest, 0
            while scores[j] < largest * (1 - TIE):
                j += 1
            chosen = begin + j
    return best, best - node_score(gain, total, weight), chosen, candidates
