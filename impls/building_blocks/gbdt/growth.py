"""Boosting with histograms, compiled: rounds, growth order, sibling subtraction and the counters of what was done."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.gbdt.binning import STRIDE, Bins
from impls.building_blocks.gbdt.histogram import build_by_feature, build_by_row
from impls.building_blocks.gbdt.losses import set_residuals
from impls.building_blocks.gbdt.nodes import (
    FOUND,
    NODE,
    Growth,
    choose_split,
    is_left_smaller,
    may_split,
    record_split,
    set_leaves,
    take_largest_gain,
)
from impls.building_blocks.gbdt.partition import partition
from impls.building_blocks.gbdt.trees import Forest, empty_forest, most_nodes


class Work(NamedTuple):
    """What growing a tree writes into.

    ``order`` are the row numbers by node, ``addends`` (by row) and ``values`` (in the order of the smaller children)
    what is added to histograms, ``free_slots`` a stack of unused places in ``histograms``. ``counters`` count the
    updates of histograms and the candidates.
    """

    nodes: np.ndarray
    found: np.ndarray
    histograms: np.ndarray
    addends: np.ndarray
    values: np.ndarray
    order: np.ndarray
    scratch: np.ndarray
    free_slots: np.ndarray
    counters: np.ndarray


def fit_histogram(
    codes: np.ndarray,
    bins: Bins,
    y: np.ndarray,
    base: float,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    min_rows: int,
    *,
    row_threads: int = 0,
    packed: bool = False,
) -> Forest:
    """Fit ``rounds`` trees to bin numbers ``codes`` (groups, rows, width).

    :param row_threads: 0 to build histograms in parallel over groups of features; else over this many pieces of rows.
    :param packed: sum and count in one integer, see :mod:`impls.building_blocks.gbdt.histogram`.
    """
    groups, rows, width = codes.shape
    size, features = most_nodes(rows, max_depth, max_leaves, min_rows), len(bins.counts)
    forest = empty_forest(rounds, size)
    kind, shape = (np.int64, (STRIDE,)) if packed else (np.float64, (STRIDE, 2))
    work = Work(
        nodes=np.zeros(size, dtype=NODE),
        found=np.zeros((size, features), dtype=FOUND),
        # Memory that is never touched costs nothing, so room for every leaf is no waste.
        histograms=np.empty((size // 2 + 2, groups * width, *shape), dtype=kind),
        addends=np.empty(rows, dtype=kind),
        values=np.empty(rows, dtype=kind),
        order=np.empty(rows, dtype=np.int32),
        scratch=np.empty((2, rows), dtype=np.int32),
        free_slots=np.empty(size // 2 + 2, dtype=np.int64),
        counters=np.zeros(2, dtype=np.int64),
    )
    private = np.empty((row_threads, features, *shape), dtype=kind) if row_threads else None
    growth = Growth(max_depth, (size + 1) // 2, max_leaves > 0, min_rows)
    scores, residual, hessian = np.full(rows, base), np.empty(rows), np.empty(rows)
    count_bits, unit = math.ceil(math.log2(rows + 1)), 1.0
    for t in range(rounds):
        set_residuals(y, scores, loss == "logistic", residual, hessian)
        if packed:
            # The sum of all rows has 63 bits less those of the count; one more is left unused.
            largest = max(1e-300, float(residual.max()), -float(residual.min()))
            unit = 2.0 ** (math.ceil(math.log2(largest * rows)) - (62 - count_bits))
        _set_addends(residual, unit, count_bits, work.addends)
        nodes = _grow(codes, bins.counts, bins.thresholds, growth, work, private, unit, count_bits, forest, t)
        forest.sizes[t] = nodes
        set_leaves(
            work.nodes[:nodes], forest.left[t], work.order, residual, hessian, shrinkage, scores, forest.value[t]
        )
    return forest._replace(updates=int(work.counters[0]), candidates=int(work.counters[1]))


@njit(cache=True)
def _set_addends(residual: np.ndarray, unit: float, count_bits: int, addends: np.ndarray) -> None:
    """Write what is added to a bin for each row: its residual, or round(residual / unit) above bits that hold a 1."""
    for i in range(len(residual)):
        if isinstance(addends[0], float):
            addends[i] = residual[i]
        else:
            addends[i] = (np.int64(np.rint(residual[i] / unit)) << count_bits) + 1


@njit(cache=True)
def _grow(
    codes: np.ndarray,
    bin_counts: np.ndarray,
    thresholds: np.ndarray,
    growth: Growth,
    work: Work,
    private: np.ndarray | None,
    unit: float,
    count_bits: int,
    forest: Forest,
    t: int,
) -> int:
    """Grow tree ``t`` level by level, or one split at a time if best first. Returns its number of nodes."""
    nodes, most_leaves = work.nodes, growth.most_leaves
    jobs, parents = np.empty((most_leaves, 2), dtype=np.int64), np.empty(most_leaves, dtype=np.int64)
    fresh, waiting = np.empty(2 * most_leaves, dtype=np.int64), np.empty(2 * most_leaves, dtype=np.int64)
    n_fresh, n_waiting, size = 1, 0, 1
    used_slots = _start(work)
    fresh[0], jobs[0, 0], jobs[0, 1] = 0, 0, -1
    n_jobs = 1 if len(work.order) >= 2 * growth.min_rows and most_leaves > 1 else 0
    while True:
        if n_jobs > 0:
            if private is None:  # decided when compiled: only one of the two is
                updates, candidates = build_by_feature(
                    jobs[:n_jobs],
                    nodes,
                    work.order,
                    work.values,
                    codes,
                    bin_counts,
                    growth.min_rows,
                    unit,
                    count_bits,
                    work.found,
                    work.histograms,
                )
            else:
                updates, candidates = build_by_row(
                    jobs[:n_jobs],
                    nodes,
                    work.order,
                    work.values,
                    codes,
                    bin_counts,
                    growth.min_rows,
                    unit,
                    count_bits,
                    work.found,
                    work.histograms,
                    private,
                )
            work.counters[0] += updates
            work.counters[1] += candidates
        for k in range(n_fresh):
            used_slots = _judge(fresh[k], growth, work, used_slots)
            if nodes[fresh[k]]["gain"] > 0.0:
                waiting[n_waiting] = fresh[k]
                n_waiting += 1
        leaves = (size + 1) // 2
        if n_waiting == 0 or leaves == most_leaves:
            return size
        if growth.best_first:
            parents[0] = take_largest_gain(nodes, waiting, n_waiting)
            n_parents, n_waiting = 1, n_waiting - 1
        else:
            for k in range(n_waiting):
                parents[k] = waiting[k]
            n_parents, n_waiting = n_waiting, 0
        for k in range(n_parents):
            parent = nodes[parents[k]]
            threshold = thresholds[parent["feature"], parent["bin"]]
            record_split(nodes, parents[k], size + 2 * k, threshold, forest, t)
        partition(parents[:n_parents], nodes, work.order, work.addends, work.values, codes, work.scratch)
        size += 2 * n_parents
        n_fresh = n_jobs = 0
        for k in range(n_parents):
            left = nodes[parents[k]]["left"]
            fresh[n_fresh], fresh[n_fresh + 1] = left, left + 1
            n_fresh += 2
            small, large = (left, left + 1) if is_left_smaller(nodes, left) else (left + 1, left)
            if may_split(nodes, large, growth) and (size + 1) // 2 < most_leaves:
                nodes[large]["slot"], nodes[small]["slot"] = nodes[parents[k]]["slot"], work.free_slots[used_slots]
                used_slots += 1
                jobs[n_jobs, 0], jobs[n_jobs, 1] = small, large
                n_jobs += 1
            else:
                used_slots -= 1
                work.free_slots[used_slots] = nodes[parents[k]]["slot"]


@njit(cache=True)
def _start(work: Work) -> int:
    """Put all rows into the root and give it the first slot."""
    for i in range(len(work.order)):
        work.order[i] = i
        work.values[i] = work.addends[i]
    for slot in range(len(work.free_slots)):
        work.free_slots[slot] = slot
    root = work.nodes[0]
    root["start"], root["stop"], root["depth"], root["slot"], root["gain"] = 0, len(work.order), 0, 0, 0.0
    return 1


@njit(cache=True)
def _judge(node: int, growth: Growth, work: Work, used_slots: int) -> int:
    """Choose the split of a fresh node; a node without one gives its slot back. Returns the slots in use."""
    nodes = work.nodes
    if nodes[node]["slot"] < 0:
        return used_slots
    if may_split(nodes, node, growth):
        choose_split(nodes, work.found, node)
    if nodes[node]["gain"] == 0.0:
        used_slots -= 1
        work.free_slots[used_slots] = nodes[node]["slot"]
    return used_slots
