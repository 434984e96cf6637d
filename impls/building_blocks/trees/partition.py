"""Stable partition of row numbers at the splits of a level, in parallel over pieces of rows."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.nodes import is_left_smaller

PIECE = 8192


@njit(cache=True)
def partition(
    parents: np.ndarray,
    nodes: np.ndarray,
    rows: np.ndarray,
    addends: np.ndarray,
    values: np.ndarray,
    codes: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Order the rows of each node in ``parents`` by side and place its children behind them in ``nodes``.

    ``rows`` int32 are the row numbers by node. ``values`` takes the ``addends`` (all rows) of the rows of the smaller
    child of each, in their order. ``scratch`` is int32 (2, rows).
    """
    pieces = 0
    for parent in parents:
        pieces += (nodes[parent]["stop"] - nodes[parent]["start"] + PIECE - 1) // PIECE
    table = np.empty((pieces, 4), dtype=np.int64)  # parent, first row, end, rows on the left
    k = 0
    for parent in parents:
        for first in range(nodes[parent]["start"], nodes[parent]["stop"], PIECE):
            table[k, 0], table[k, 1], table[k, 2] = parent, first, min(first + PIECE, nodes[parent]["stop"])
            k += 1
    _divide(table, nodes, rows, codes, scratch)
    targets = np.empty((pieces, 2), dtype=np.int64)
    k = 0
    for parent in parents:
        begin = k
        place = nodes[parent]["start"]
        while k < pieces and table[k, 0] == parent:
            targets[k, 0] = place
            place += table[k, 3]
            k += 1
        left = nodes[parent]["left"]
        nodes[left]["start"], nodes[left]["stop"] = nodes[parent]["start"], place
        nodes[left + 1]["start"], nodes[left + 1]["stop"] = place, nodes[parent]["stop"]
        for piece in range(begin, k):
            targets[piece, 1] = place
            place += table[piece, 2] - table[piece, 1] - table[piece, 3]
    _gather(table, targets, nodes, rows, addends, values, scratch)


@njit(cache=True)
def copy_addend(source: np.ndarray, row: int, target: np.ndarray, place: int) -> None:
    """Copy what one row adds, a number or two: an assignment of arrays takes Numba two seconds more to compile."""
    if source.ndim == 1:
        target[place] = source[row]
    else:
        for k in range(source.shape[1]):
            target[place, k] = source[row, k]


@njit(cache=True, parallel=True)
def _divide(table: np.ndarray, nodes: np.ndarray, rows: np.ndarray, codes: np.ndarray, scratch: np.ndarray) -> None:
    width = codes.shape[2]
    for k in prange(len(table)):
        parent, first, last = table[k, 0], table[k, 1], table[k, 2]
        feature, chosen = nodes[parent]["feature"], nodes[parent]["bin"]
        column = codes[feature // width, :, feature % width]
        left = right = first
        for i in range(first, last):
            row = rows[i]
            scratch[0, left] = row  # written to both sides and kept on one: no branch to mispredict
            scratch[1, right] = row
            goes_left = column[row] <= chosen
            left += goes_left
            right += not goes_left
        table[k, 3] = left - first


@njit(cache=True, parallel=True)
def _gather(
    table: np.ndarray,
    targets: np.ndarray,
    nodes: np.ndarray,
    rows: np.ndarray,
    addends: np.ndarray,
    values: np.ndarray,
    scratch: np.ndarray,
) -> None:
    for k in prange(len(table)):
        parent, first, last = table[k, 0], table[k, 1], table[k, 2]
        child = nodes[parent]["left"]
        small_is_left = is_left_smaller(nodes, child)
        for side in range(2):
            count = table[k, 3] if side == 0 else last - first - table[k, 3]
            place = targets[k, side]
            for i in range(count):
                rows[place + i] = scratch[side, first + i]
            if small_is_left == (side == 0):
                for i in range(place, place + count):
                    copy_addend(addends, rows[i], values, i)
