"""Growth of one tree with exact search, depth first: features are sorted once, and splits partition all orders stably.

A node's rows lie in the same place of every feature's order, so that a node is a range. Keeping every order costs all
features on each level, sorting costs the drawn ones and a logarithm: nodes of few rows keep a single list and sort.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.random_forest.draws import next_feature, row_weights, undo_swaps
from impls.building_blocks.random_forest.forest import Tree
from impls.building_blocks.random_forest.gini import Best, better, gain_of, nothing
from impls.building_blocks.random_forest.growing import empty_tree, finished, place, set_leaf, split_node

SORTED_ABOVE = 1_024
"""Rows above which a node keeps its rows in every feature's order."""
_ROW_MASK = np.int64(2**32 - 1)


class Columns(NamedTuple):
    """By feature: ``values`` float32 (features, rows), ``ranks`` int32 that order them likewise, rows in that order."""

    values: np.ndarray
    ranks: np.ndarray
    order: np.ndarray


class Scratch(NamedTuple):
    """What a search writes into: rows of one node in order, keys to sort, and class counts."""

    rows: np.ndarray
    keys: np.ndarray
    left: np.ndarray
    right: np.ndarray
    all: np.ndarray


@njit(cache=True)
def columns_of(values: np.ndarray, order: np.ndarray, sorted_values: np.ndarray) -> Columns:
    """Columns with dense ranks, equal for equal values; ``order`` and ``sorted_values`` come from a presort."""
    ranks = np.empty(order.shape, dtype=np.int32)
    for f in range(len(order)):
        rank = 0
        for i in range(order.shape[1]):
            rank += i > 0 and sorted_values[f, i] != sorted_values[f, i - 1]
            ranks[f, order[f, i]] = rank
    return Columns(values, ranks, order)


@njit(cache=True, nogil=True)
def grow(
    table: Columns,
    labels: np.ndarray,
    n_classes: int,
    max_features: int,
    per_tree: bool,
    bootstrap: bool,
    row_key: np.uint64,
    root_key: np.uint64,
) -> Tree:
    """Grow one tree. ``row_key`` and ``root_key`` are the tree's keys for draws of rows and of features."""
    features, rows = table.order.shape
    weights = row_weights(row_key, rows) if bootstrap else np.ones(rows, dtype=np.int32)
    used = len(np.flatnonzero(weights))
    presorted = used > SORTED_ABOVE
    orders = _orders_of(table.order, weights, used, presorted)
    spare, goes_left = np.empty(used, dtype=np.int32), np.empty(rows, dtype=np.bool_)
    tree = empty_tree(used, n_classes)
    scratch = Scratch(
        np.empty(used, dtype=np.int32),
        np.empty(used, dtype=np.int64),
        np.empty(n_classes, dtype=np.int64),
        np.empty(n_classes, dtype=np.int64),
        np.zeros(n_classes, dtype=np.int64),
    )
    order, swaps = np.arange(features), np.empty(features, dtype=np.int64)
    if per_tree:
        for position in range(max_features):
            next_feature(order, swaps, position, root_key)
    _count(orders[0], labels, weights, scratch.all)
    place(tree, 0, 0, used, root_key, presorted, scratch.all)
    while tree.sizes[1] > 0:
        tree.sizes[1] -= 1
        node = tree.stack[tree.sizes[1]]
        number, start, stop, key, presorted = node["node"], node["start"], node["stop"], node["key"], node["sorted"]
        _count(orders[0, start:stop], labels, weights, scratch.all)
        best, position = nothing(), 0
        while position < max_features or (not per_tree and best.feature < 0 and position < features):
            feature = order[position] if per_tree else next_feature(order, swaps, position, key)
            inside = _in_order(table.ranks[feature], orders, start, stop, feature, presorted, scratch)
            best = _scan(inside, table.ranks[feature], labels, weights, feature, scratch, best)
            position += 1
        if not per_tree:
            undo_swaps(order, swaps, position)
        if best.feature < 0:
            set_leaf(tree, number, scratch.all)
            continue
        feature = best.feature
        low, high = table.values[feature, best.rank], table.values[feature, best.next_rank]
        last = table.ranks[feature, best.rank]
        for i in range(start, stop):
            row = orders[0, i]
            goes_left[row] = table.ranks[feature, row] <= last
        n_left = 0
        for f in range(len(orders) if presorted else 1):
            n_left = _partition(orders[f, start:stop], goes_left, spare)
        middle = start + n_left
        _count(orders[0, start:middle], labels, weights, scratch.left)
        _count(orders[0, middle:stop], labels, weights, scratch.right)
        split_node(
            tree,
            number,
            feature,
            (np.float64(low) + np.float64(high)) / 2,
            gain_of(best, scratch.all),
            start,
            middle,
            stop,
            key,
            presorted and stop - start > SORTED_ABOVE,
            scratch.left,
            scratch.right,
        )
    return finished(tree)


@njit(cache=True)
def _orders_of(order: np.ndarray, weights: np.ndarray, used: int, presorted: bool) -> np.ndarray:
    """The rows that a tree has drawn, in the order of every feature, or of one if nodes are to sort."""
    orders = np.empty((len(order) if presorted else 1, used), dtype=np.int32)
    for f in range(len(orders)):
        count = 0
        for row in order[f]:
            if weights[row] > 0:
                orders[f, count] = row
                count += 1
    return orders


@njit(cache=True)
def _count(rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, counts: np.ndarray) -> None:
    counts[:] = 0
    for row in rows:
        counts[labels[row]] += weights[row]


@njit(cache=True)
def _in_order(
    ranks: np.ndarray, orders: np.ndarray, start: int, stop: int, feature: int, presorted: bool, scratch: Scratch
) -> np.ndarray:
    """The rows of a node in the order of ``feature``."""
    if presorted:
        return orders[feature, start:stop]
    keys, rows = scratch.keys[: stop - start], scratch.rows[: stop - start]
    for i in range(len(keys)):
        row = orders[0, start + i]
        keys[i] = (np.int64(ranks[row]) << 32) | row
    keys.sort()
    for i in range(len(keys)):
        rows[i] = keys[i] & _ROW_MASK
    return rows


@njit(cache=True)
def _scan(
    rows: np.ndarray,
    ranks: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    feature: int,
    scratch: Scratch,
    best: Best,
) -> Best:
    """The better one of ``best`` and the splits of one feature; ranks are given as rows that have them."""
    left, right = scratch.left, scratch.right
    n_left, n_right, left_squares, right_squares = 0, 0, 0, 0
    for c in range(len(left)):
        left[c] = 0
        right[c] = scratch.all[c]
        n_right += right[c]
        right_squares += right[c] * right[c]
    for i in range(len(rows) - 1):
        row = rows[i]
        c, count = labels[row], weights[row]
        left_squares += count * (2 * left[c] + count)
        right_squares -= count * (2 * right[c] - count)
        left[c] += count
        right[c] -= count
        n_left += count
        n_right -= count
        after = rows[i + 1]
        if ranks[row] != ranks[after]:
            best = better(best, left_squares, right_squares, n_left, n_right, feature, row, after)
    return best


@njit(cache=True)
def _partition(rows: np.ndarray, goes_left: np.ndarray, spare: np.ndarray) -> int:
    """Order ``rows`` stably by side. Returns the number of rows on the left."""
    n_left = n_right = 0
    for i in range(len(rows)):
        row = rows[i]
        rows[n_left] = row  # written to both sides and kept on one: no branch to mispredict
        spare[n_right] = row
        n_left += goes_left[row]
        n_right += not goes_left[row]
    rows[n_left:] = spare[:n_right]
    return n_left
