"""Growth of one classification tree on bin numbers of one byte, depth first.

The rows of a node are one packed list, each with its label and how often it was drawn. A node fills one histogram of
class counts per drawn feature in a single pass over its rows. Small nodes note which bins they touch, and look at those
only, so that a node of five rows does not cost 256 bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from impls.building_blocks.random_forest.draws import next_feature, row_weights, undo_swaps
from impls.building_blocks.random_forest.forest import Tree
from impls.building_blocks.random_forest.gini import Best, better, gain_of, nothing
from impls.building_blocks.random_forest.growing import empty_tree, finished, place, set_leaf, split_node
from impls.building_blocks.trees.binning import STRIDE

SMALL = 256
"""Rows below which a node notes the bins that it touches."""
WORDS = STRIDE // 64
_ROW_BITS, _WEIGHT_BITS = np.uint64(32), np.uint64(12)
_ROW_MASK, _WEIGHT_MASK = np.uint64(2**32 - 1), np.uint64(2**12 - 1)
"""A row in a node's list: label above twelve bits of weight above the row's number."""
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_LOWEST_BIT = np.empty(64, dtype=np.int64)
for _bit in range(64):
    _LOWEST_BIT[(((1 << _bit) * 0x03F79D71B4CB0A89) & (2**64 - 1)) >> 58] = _bit


class Binned(NamedTuple):
    """Bin numbers uint8 (rows, features) and the lowest and highest value of each bin, float32 (features, 256)."""

    codes: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


class Scratch(NamedTuple):
    """Histograms int32 (drawn features, 256, classes), all zero between nodes, the bins touched, and small lists."""

    counts: np.ndarray
    touched: np.ndarray
    drawn: np.ndarray
    left: np.ndarray
    right: np.ndarray
    all: np.ndarray


@njit(cache=True, parallel=True)
def value_ranges(x: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each bin of ``codes`` (rows, features), float32 (features, 256)."""
    rows, features = x.shape
    lowest = np.full((features, STRIDE), np.inf, dtype=np.float32)
    highest = np.full((features, STRIDE), -np.inf, dtype=np.float32)
    for f in prange(features):
        for i in range(rows):
            code = codes[i, f]
            lowest[f, code] = min(lowest[f, code], x[i, f])
            highest[f, code] = max(highest[f, code], x[i, f])
    return lowest, highest


@njit(cache=True, nogil=True)
def grow(
    table: Binned,
    y: np.ndarray,
    n_classes: int,
    max_features: int,
    per_tree: bool,
    bootstrap: bool,
    row_key: np.uint64,
    root_key: np.uint64,
) -> Tree:
    """Grow one tree. ``row_key`` and ``root_key`` are the tree's keys for draws of rows and of features."""
    features = table.codes.shape[1]
    rows = _list_rows(y, bootstrap, row_key)
    spare = np.empty_like(rows)
    tree = empty_tree(len(rows), n_classes)
    scratch = Scratch(
        np.zeros((max_features, STRIDE, n_classes), dtype=np.int32),
        np.zeros((max_features, WORDS), dtype=np.uint64),
        np.empty(features, dtype=np.int64),
        np.empty(n_classes, dtype=np.int64),
        np.empty(n_classes, dtype=np.int64),
        np.zeros(n_classes, dtype=np.int64),
    )
    order, swaps = np.arange(features), np.empty(features, dtype=np.int64)
    if per_tree:
        for position in range(max_features):
            scratch.drawn[position] = next_feature(order, swaps, position, root_key)
    for entry in rows:
        scratch.all[_label(entry)] += _weight(entry)
    place(tree, 0, 0, len(rows), root_key, False, scratch.all)
    while tree.sizes[1] > 0:
        tree.sizes[1] -= 1
        node = tree.stack[tree.sizes[1]]
        number, start, stop, key = node["node"], node["start"], node["stop"], node["key"]
        inside = rows[start:stop]
        _count(inside, scratch.all)
        position = max_features
        if not per_tree:
            for k in range(max_features):
                scratch.drawn[k] = next_feature(order, swaps, k, key)
        best = _search(table.codes, inside, scratch, scratch.drawn[:max_features])
        while not per_tree and best.feature < 0 and position < features:
            scratch.drawn[0] = next_feature(order, swaps, position, key)
            position += 1
            best = _search(table.codes, inside, scratch, scratch.drawn[:1])
        if not per_tree:
            undo_swaps(order, swaps, position)
        if best.feature < 0:
            set_leaf(tree, number, scratch.all)
            continue
        highest, lowest = table.highest[best.feature, best.rank], table.lowest[best.feature, best.next_rank]
        threshold = (np.float64(highest) + np.float64(lowest)) / 2
        middle = start + _partition(table.codes, inside, spare, best, scratch.left, scratch.right)
        split_node(
            tree,
            number,
            best.feature,
            threshold,
            gain_of(best, scratch.all),
            start,
            middle,
            stop,
            key,
            False,
            scratch.left,
            scratch.right,
        )
    return finished(tree)


@njit(cache=True)
def _list_rows(y: np.ndarray, bootstrap: bool, key: np.uint64) -> np.ndarray:
    """The rows of a tree, packed."""
    weights = row_weights(key, len(y)) if bootstrap else np.ones(len(y), dtype=np.int32)
    rows, count = np.empty(len(y), dtype=np.uint64), 0
    for i in range(len(y)):
        if weights[i] > 0:
            label = np.uint64(y[i]) << (_ROW_BITS + _WEIGHT_BITS)
            rows[count] = label | (np.uint64(weights[i]) << _ROW_BITS) | np.uint64(i)
            count += 1
    return rows[:count].copy()


@njit(cache=True)
def _row(entry: np.uint64) -> np.int64:
    return np.int64(entry & _ROW_MASK)


@njit(cache=True)
def _weight(entry: np.uint64) -> np.int64:
    return np.int64((entry >> _ROW_BITS) & _WEIGHT_MASK)


@njit(cache=True)
def _label(entry: np.uint64) -> np.int64:
    return np.int64(entry >> (_ROW_BITS + _WEIGHT_BITS))


@njit(cache=True)
def _count(rows: np.ndarray, counts: np.ndarray) -> None:
    counts[:] = 0
    for entry in rows:
        counts[_label(entry)] += _weight(entry)


@njit(cache=True)
def _search(codes: np.ndarray, rows: np.ndarray, scratch: Scratch, drawn: np.ndarray) -> Best:
    """The best split of ``rows`` by one of the ``drawn`` features; leaves the histograms clear."""
    small = len(rows) < SMALL
    counts, touched = scratch.counts, scratch.touched
    for entry in rows:
        label, weight = _label(entry), np.int32(_weight(entry))
        row = codes[_row(entry)]
        for k in range(len(drawn)):
            code = row[drawn[k]]
            counts[k, code, label] += weight
            if small:
                touched[k, code >> 6] |= np.uint64(1) << np.uint64(code & 63)
    best = nothing()
    for k in range(len(drawn)):
        if not small:
            for word in range(WORDS):
                touched[k, word] = np.uint64(0xFFFFFFFFFFFFFFFF)
        best = _scan(counts[k], touched[k], drawn[k], scratch, best)
    return best


@njit(cache=True)
def _scan(counts: np.ndarray, touched: np.ndarray, feature: int, scratch: Scratch, best: Best) -> Best:
    """The better one of ``best`` and the splits between the touched bins of one feature; clears what it has read."""
    n_classes = counts.shape[1]
    left, right = scratch.left, scratch.right
    n_left, n_right, left_squares, right_squares = 0, 0, 0, 0
    for c in range(n_classes):
        left[c] = 0
        right[c] = scratch.all[c]
        n_right += right[c]
        right_squares += right[c] * right[c]
    previous = -1
    for word in range(len(touched)):
        bits = touched[word]
        touched[word] = 0
        while bits != 0:
            lowest = bits & (~bits + np.uint64(1))
            bits ^= lowest
            code = 64 * word + _LOWEST_BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)]
            moved = 0
            for c in range(n_classes):
                moved += counts[code, c]
            if moved == 0:
                continue
            if previous >= 0:
                best = better(best, left_squares, right_squares, n_left, n_right, feature, previous, code)
            previous = code
            for c in range(n_classes):
                count = np.int64(counts[code, c])
                counts[code, c] = 0
                left_squares += count * (2 * left[c] + count)
                right_squares -= count * (2 * right[c] - count)
                left[c] += count
                right[c] -= count
            n_left += moved
            n_right -= moved
    return best


@njit(cache=True)
def _partition(
    codes: np.ndarray, rows: np.ndarray, spare: np.ndarray, best: Best, left: np.ndarray, right: np.ndarray
) -> int:
    """Order ``rows`` by side and count the classes of both. Returns the number of rows on the left."""
    left[:] = 0
    right[:] = 0
    n_left = n_right = 0
    for i in range(len(rows)):
        entry = rows[i]
        goes_left = codes[_row(entry), best.feature] <= best.rank
        rows[n_left] = entry  # written to both sides and kept on one: no branch to mispredict
        spare[n_right] = entry
        n_left += goes_left
        n_right += not goes_left
    for i in range(n_left):
        left[_label(rows[i])] += _weight(rows[i])
    for i in range(n_right):
        rows[n_left + i] = spare[i]
        right[_label(spare[i])] += _weight(spare[i])
    return n_left
