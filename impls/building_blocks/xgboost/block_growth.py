"""Boosting level by level with any search over column blocks: the rounds, one tree, and what a search has to offer."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numba import njit

from impls.building_blocks.gbdt.losses import set_residuals
from impls.building_blocks.trees.arrays import most_nodes
from impls.building_blocks.trees.nodes import FOUND, NODE, choose_split, record_split
from impls.building_blocks.xgboost.blocks import Table
from impls.building_blocks.xgboost.fitted import Fitted, Trees, empty_trees
from impls.building_blocks.xgboost.gain import gain_of
from impls.building_blocks.xgboost.leaves import finish_tree
from impls.building_blocks.xgboost.level import ROW, Totals, add_up, move_rows, start_level
from suites.xgboost.model import Model


class Search(Protocol):
    """How the best split of every node of a level is found."""

    def begin_tree(self, weight: np.ndarray) -> None:
        """A tree begins, whose rows have these Hessians."""

    def find(self, rows: np.ndarray, totals: Totals, found: np.ndarray) -> None:
        """Write each slot's best split by feature into ``found``; absent entries go left where its ``bin`` is odd."""

    def threshold(self, feature: int, slot: int, code: int) -> float:
        """The threshold that ``bin`` stands for in this feature and slot."""


def grow_trees(table: Table, search: Search, y: np.ndarray, model: Model) -> Fitted:
    """Fit the trees; what the search counted is its own."""
    size = most_nodes(table.rows, model.max_depth, 0, max(1, model.min_rows))
    trees, gain = empty_trees(model.rounds, size), gain_of(model)
    scores, pairs = np.full(table.rows, model.base), np.empty((2, table.rows))
    unit, rows = np.ones(table.rows), np.empty(table.rows, dtype=ROW)
    for t in range(model.rounds):
        residual, hessian = pairs
        set_residuals(y, scores, model.loss == "logistic", residual, hessian)
        split_weights = hessian if model.order == "second" else unit
        search.begin_tree(hessian)
        start_level(residual, split_weights, rows)
        nodes = _grow(table, search, rows, model, trees, t, size)
        leaves = rows["node"].copy()
        leaf_weights = unit if model.order == "first" else hessian
        sums = _leaf_sums(leaves, residual, leaf_weights, split_weights, nodes)
        finish_tree(trees, t, nodes, leaves, sums, gain, model, y, scores)
    return Fitted(trees, model)


@njit(cache=True)
def _leaf_sums(
    leaves: np.ndarray, residual: np.ndarray, leaf_weights: np.ndarray, split_weights: np.ndarray, nodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    g, h, cover = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes)
    for i in range(len(leaves)):
        g[leaves[i]] += residual[i]
        h[leaves[i]] += leaf_weights[i]
        cover[leaves[i]] += split_weights[i]
    return g, h, cover


def _grow(table: Table, search: Search, rows: np.ndarray, model: Model, trees: Trees, t: int, size: int) -> int:
    """Grow tree ``t``; returns its number of nodes."""
    nodes = np.zeros(size, dtype=NODE)
    level, used = np.array([0]), 1
    for _ in range(model.max_depth):
        totals = add_up(rows, len(level))
        found = np.empty((len(level), table.features), dtype=FOUND)
        search.find(rows, totals, found)
        chosen = _choose(found)
        splits = np.flatnonzero(chosen["gain"] > 0)
        if not len(splits):
            break
        feature, default_left = np.zeros(len(level), dtype=np.int64), np.zeros(len(level), dtype=np.bool_)
        threshold = np.zeros(len(level))
        left_slot, left_node = np.full(len(level), -1), np.zeros(len(level), dtype=np.int64)
        for k, slot in enumerate(splits):
            node, code = int(level[slot]), int(chosen[slot]["bin"])
            feature[slot], default_left[slot] = chosen[slot]["feature"], code % 2 == 1
            threshold[slot] = search.threshold(int(feature[slot]), int(slot), code)
            left_slot[slot], left_node[slot] = 2 * k, used + 2 * k
            nodes[node]["feature"], nodes[node]["gain"] = feature[slot], chosen[slot]["gain"]
            record_split(nodes, node, used + 2 * k, threshold[slot], trees.forest, t)
            trees.default_left[t, node] = default_left[slot]
        move_rows(rows, table, feature, threshold, default_left, left_slot, left_node)
        level = np.arange(used, used + 2 * len(splits))
        used += len(level)
    return used


@njit(cache=True)
def _choose(found: np.ndarray) -> np.ndarray:
    """The best split of each slot, by the core's rule for ties; gain 0 where there is none."""
    chosen = np.zeros(len(found), dtype=NODE)
    for slot in range(len(found)):
        choose_split(chosen, found, slot)
    return chosen
