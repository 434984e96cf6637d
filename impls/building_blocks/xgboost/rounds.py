"""Rounds of second-order boosting around the tree core: derivatives, one tree, its leaves. No entries may be absent."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from impls.building_blocks.gbdt.losses import set_residuals
from impls.building_blocks.trees import growth as by_histogram
from impls.building_blocks.trees import presorted as by_order
from impls.building_blocks.trees.arrays import most_nodes
from impls.building_blocks.trees.binning import Bins
from impls.building_blocks.trees.nodes import Growth
from impls.building_blocks.trees.presorted import Sorted
from impls.building_blocks.xgboost.fitted import Fitted, empty_trees
from impls.building_blocks.xgboost.gain import gain_of
from impls.building_blocks.xgboost.leaves import finish_tree
from suites.xgboost.model import Model


def fit_presorted(table: Sorted, y: np.ndarray, model: Model) -> Fitted:
    """Exact search on columns sorted once; the residual and Hessian of a row lie side by side, for one gather."""
    rows = len(y)
    size = most_nodes(rows, model.max_depth, 0, max(1, model.min_rows))
    trees, gain = empty_trees(model.rounds, size), gain_of(model)
    work = by_order.empty_work(table, size)
    growth = Growth(model.max_depth, (size + 1) // 2, False, max(1, model.min_rows))
    scores, pairs = np.full(rows, model.base), np.empty((rows, 2))
    for t in range(model.rounds):
        set_residuals(y, scores, model.loss == "logistic", pairs[:, 0], pairs[:, 1])
        weights = pairs[:, 1] if is_weighted(model) else None
        work.order[:] = table.order
        work.values[:] = table.values
        nodes = by_order.grow_presorted(table, pairs[:, 0], weights, growth, gain, work, trees.forest, t)
        leaves, sums = collect(work.nodes[:nodes], trees.forest.left[t], work.order[0], pairs, model)
        finish_tree(trees, t, nodes, leaves, sums, gain, model, y, scores)
    return Fitted(trees, model, sorts=len(table.order))


def fit_histogram(codes: np.ndarray, bins: Bins, y: np.ndarray, model: Model) -> Fitted:
    """Search on bin numbers ``codes`` (groups, rows, width), bins being found once for all trees."""
    rows, features = len(y), len(bins.counts)
    size = most_nodes(rows, model.max_depth, 0, max(1, model.min_rows))
    trees, gain = empty_trees(model.rounds, size), gain_of(model)
    work = by_histogram.empty_work(codes, features, size, "weighted" if is_weighted(model) else "sums")
    growth = Growth(model.max_depth, (size + 1) // 2, False, max(1, model.min_rows))
    scores, pairs = np.full(rows, model.base), np.empty((rows, 2))
    for t in range(model.rounds):
        set_residuals(y, scores, model.loss == "logistic", pairs[:, 0], pairs[:, 1])
        work.addends[:] = pairs if is_weighted(model) else pairs[:, 0]
        nodes = by_histogram.grow_histogram(codes, bins, growth, gain, work, None, 1.0, 0, trees.forest, t)
        leaves, sums = collect(work.nodes[:nodes], trees.forest.left[t], work.order, pairs, model)
        finish_tree(trees, t, nodes, leaves, sums, gain, model, y, scores)
    return Fitted(trees, model, sorts=features, entries=int(work.counters[0]))


def is_weighted(model: Model) -> bool:
    """Whether splits are weighted by anything but the number of rows."""
    return model.order == "second" and model.loss == "logistic"


def collect(
    nodes: np.ndarray, left: np.ndarray, order: np.ndarray, pairs: np.ndarray, model: Model
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The leaf of each row, and by leaf the sums of residuals, of the leaves' weights and of the splits' weights."""
    leaf_of_row = np.empty(len(order), dtype=np.int32)
    residuals, hessians, rows = (np.zeros(len(nodes)) for _ in range(3))
    _collect(nodes, left, order, pairs, leaf_of_row, residuals, hessians, rows)
    leaf_weights = rows if model.order == "first" else hessians
    covers = hessians if model.order == "second" else rows
    return leaf_of_row, (residuals, leaf_weights.copy(), covers.copy())


@njit(cache=True, parallel=True)
def _collect(
    nodes: np.ndarray,
    left: np.ndarray,
    order: np.ndarray,
    pairs: np.ndarray,
    leaf_of_row: np.ndarray,
    residuals: np.ndarray,
    hessians: np.ndarray,
    rows: np.ndarray,
) -> None:
    for node in prange(len(nodes)):
        if left[node] != node:
            continue
        start, stop = nodes[node]["start"], nodes[node]["stop"]
        g = h = 0.0
        for i in range(start, stop):
            row = order[i]
            leaf_of_row[row] = node
            g += pairs[row, 0]
            h += pairs[row, 1]
        residuals[node], hessians[node], rows[node] = g, h, stop - start
