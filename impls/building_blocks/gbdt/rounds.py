"""Rounds of boosting around the growth of single trees: residuals, one tree, its leaves."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from impls.building_blocks.gbdt.losses import set_leaves, set_residuals
from impls.building_blocks.trees import growth as by_histogram
from impls.building_blocks.trees import presorted as by_order
from impls.building_blocks.trees.arrays import Forest, empty_forest, most_nodes
from impls.building_blocks.trees.binning import Bins
from impls.building_blocks.trees.gain import MeanGain
from impls.building_blocks.trees.nodes import Growth
from impls.building_blocks.trees.presorted import Sorted


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
    :param packed: sum and count in one integer, see :mod:`impls.building_blocks.trees.histogram`.
    """
    rows = codes.shape[1]
    size, features = most_nodes(rows, max_depth, max_leaves, min_rows), len(bins.counts)
    forest = empty_forest(rounds, size)
    work = by_histogram.empty_work(codes, features, size, "packed" if packed else "sums")
    private = None
    if row_threads:
        private = np.empty((row_threads, features, *work.histograms.shape[2:]), dtype=work.histograms.dtype)
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
        nodes = by_histogram.grow_histogram(codes, bins, growth, MeanGain(), work, private, unit, count_bits, forest, t)
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
    rows = table.order.shape[1]
    size = most_nodes(rows, max_depth, max_leaves, min_rows)
    forest = empty_forest(rounds, size)
    work = by_order.empty_work(table, size)
    growth = Growth(max_depth, (size + 1) // 2, max_leaves > 0, min_rows)
    scores, residual, hessian = np.full(rows, base), np.empty(rows), np.empty(rows)
    for t in range(rounds):
        set_residuals(y, scores, loss == "logistic", residual, hessian)
        work.order[:] = table.order
        work.values[:] = table.values
        nodes = by_order.grow_presorted(table, residual, None, growth, MeanGain(), work, forest, t)
        forest.sizes[t] = nodes
        inside = work.order[0]
        set_leaves(work.nodes[:nodes], forest.left[t], inside, residual, hessian, shrinkage, scores, forest.value[t])
    return forest._replace(candidates=int(work.candidates.sum()))
