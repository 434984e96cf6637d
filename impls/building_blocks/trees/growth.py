"""Growth of one tree on histograms, compiled: growth order, sibling subtraction and the counters of what was done.

What is searched for is the caller's: see :mod:`impls.building_blocks.trees.gain`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.trees.arrays import Forest
from impls.building_blocks.trees.binning import STRIDE, Bins
from impls.building_blocks.trees.histogram import build_by_feature, build_by_row
from impls.building_blocks.trees.nodes import (
    FOUND,
    NODE,
    Growth,
    choose_split,
    is_left_smaller,
    may_split,
    record_split,
    take_largest_gain,
)
from impls.building_blocks.trees.partition import copy_addend, partition


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


def empty_work(codes: np.ndarray, features: int, size: int, addends: str = "sums") -> Work:
    """Room for trees of at most ``size`` nodes on bin numbers ``codes`` (groups, rows, width).

    :param addends: what a row adds to a bin: ``sums`` (float64), ``weighted`` (two float64, a sum and a weight) or
        ``packed`` (int64, sum and count), see :mod:`impls.building_blocks.trees.histogram`.
    """
    groups, rows, width = codes.shape
    bin_shape, row_shape, kind = {
        "sums": ((2,), (), np.float64),
        "weighted": ((3,), (2,), np.float64),
        "packed": ((), (), np.int64),
    }[addends]
    return Work(
        nodes=np.zeros(size, dtype=NODE),
        found=np.zeros((size, features), dtype=FOUND),
        # Memory that is never touched costs nothing, so room for every leaf is no waste.
        histograms=np.empty((size // 2 + 2, groups * width, STRIDE, *bin_shape), dtype=kind),
        addends=np.empty((rows, *row_shape), dtype=kind),
        values=np.empty((rows, *row_shape), dtype=kind),
        order=np.empty(rows, dtype=np.int32),
        scratch=np.empty((2, rows), dtype=np.int32),
        free_slots=np.empty(size // 2 + 2, dtype=np.int64),
        counters=np.zeros(2, dtype=np.int64),
    )


@njit(cache=True)
def grow_histogram(
    codes: np.ndarray,
    bins: Bins,
    growth: Growth,
    gain: Any,
    work: Work,
    private: np.ndarray | None,
    unit: float,
    count_bits: int,
    forest: Forest,
    t: int,
) -> int:
    """Grow tree ``t`` level by level, or one split at a time if best first. Returns its number of nodes.

    ``gain`` is a tuple known to :mod:`impls.building_blocks.trees.gain`; ``work.addends`` holds what each row adds.
    ``private`` is scratch (pieces, features, 256, ...) to build histograms in parallel over pieces of rows; with None
    they are built in parallel over groups of features. ``unit`` and ``count_bits`` describe packed addends.
    """
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
                    bins.counts,
                    growth.min_rows,
                    gain,
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
                    bins.counts,
                    growth.min_rows,
                    gain,
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
            threshold = bins.thresholds[parent["feature"], parent["bin"]]
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
        copy_addend(work.addends, i, work.values, i)
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
