"""Growth of one regression tree on drawn rows, depth first; the search is that of the tree core."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.random_forest.draws import draw, next_feature, row_weights, undo_swaps
from impls.building_blocks.random_forest.forest import NODE, ROWS_AT_ONCE, find_leaves
from impls.building_blocks.random_forest.growing import OPEN
from impls.building_blocks.random_forest.presorted import Columns
from impls.building_blocks.trees.gain import MeanGain
from impls.building_blocks.trees.presorted import CANDIDATES_AT_ONCE, scan
from suites.random_forest.draws import LEFT, RIGHT

_ROW_MASK = np.int64(2**32 - 1)


class RegressionTree(NamedTuple):
    """``nodes`` as in :mod:`impls.building_blocks.random_forest.forest`, and what leaves say, float64 (nodes,)."""

    nodes: np.ndarray
    value: np.ndarray


@njit(cache=True, nogil=True)
def grow_regression(
    table: Columns, y: np.ndarray, max_features: int, row_key: np.uint64, root_key: np.uint64
) -> RegressionTree:
    """Grow one tree until its leaves hold rows of one value, or rows that no feature tells apart."""
    features, rows = table.order.shape
    drawn = row_weights(row_key, rows)
    weights = drawn.astype(np.float64)
    sums = weights * y
    own = np.flatnonzero(drawn)
    nodes, value = np.empty(2 * len(own), dtype=NODE), np.zeros(2 * len(own))
    stack, waiting, size = np.empty(len(own) + 1, dtype=OPEN), 1, 1
    stack[0]["node"], stack[0]["start"], stack[0]["stop"], stack[0]["key"] = 0, 0, len(own), root_key
    order, swaps = np.arange(features), np.empty(features, dtype=np.int64)
    keys, ordered = np.empty(len(own), dtype=np.int64), np.empty(len(own), dtype=np.int32)
    scratch = np.empty((3, CANDIDATES_AT_ONCE))
    while waiting > 0:
        waiting -= 1
        number, start, stop = stack[waiting]["node"], stack[waiting]["start"], stack[waiting]["stop"]
        key, inside = stack[waiting]["key"], own[start:stop]
        best, chosen, last, after, position = -1.0, -1, 0, 0, 0
        varies = y[inside].max() > y[inside].min()
        while varies and (position < max_features or (chosen < 0 and position < features)):
            feature = next_feature(order, swaps, position, key)
            position += 1
            _sort(table.ranks[feature], inside, keys, ordered)
            own_order = ordered[: stop - start]
            score, _, place, _ = scan(own_order, table.ranks[feature][own_order], sums, weights, 1, MeanGain(), scratch)
            if score > best:
                best, chosen, last, after = score, feature, own_order[place], own_order[place + 1]
        undo_swaps(order, swaps, position)
        node = nodes[number]
        if chosen < 0:
            node["feature"], node["left"], node["threshold"] = 0, number, np.inf
            value[number] = sums[inside].sum() / weights[inside].sum()
            continue
        ranks = table.ranks[chosen]
        threshold = (np.float64(table.values[chosen, last]) + np.float64(table.values[chosen, after])) / 2
        node["feature"], node["left"], node["threshold"] = chosen, size, threshold
        goes_left = ranks[inside] <= ranks[last]
        left, right = inside[goes_left], inside[~goes_left]
        middle = start + len(left)
        own[start:middle] = left
        own[middle:stop] = right
        for side in range(2):
            entry = stack[waiting]
            entry["node"], entry["key"] = size + side, draw(key, LEFT if side == 0 else RIGHT)
            entry["start"], entry["stop"] = (start, middle) if side == 0 else (middle, stop)
            waiting += 1
        size += 2
    return RegressionTree(nodes[:size].copy(), value[:size].copy())


@njit(cache=True)
def _sort(ranks: np.ndarray, rows: np.ndarray, keys: np.ndarray, ordered: np.ndarray) -> None:
    own = keys[: len(rows)]
    for i in range(len(rows)):
        own[i] = (np.int64(ranks[rows[i]]) << 32) | rows[i]
    own.sort()
    for i in range(len(rows)):
        ordered[i] = own[i] & _ROW_MASK


@njit(cache=True)
def values_of(tree: RegressionTree, x: np.ndarray) -> np.ndarray:
    """What the tree says of each row of ``x``, float64 (rows,)."""
    values = np.empty(len(x))
    place, active = np.empty(ROWS_AT_ONCE, dtype=np.int32), np.empty(ROWS_AT_ONCE, dtype=np.int32)
    for begin in range(0, len(x), ROWS_AT_ONCE):
        end = min(len(x), begin + ROWS_AT_ONCE)
        find_leaves(tree.nodes, 0, x[begin:end], place, active)
        for i in range(begin, end):
            values[i] = tree.value[place[i - begin]]
    return values
