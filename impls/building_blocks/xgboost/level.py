"""One level of a tree under growth: which node each row is in, the nodes' sums, and moving rows to the next level."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from impls.building_blocks.xgboost.blocks import Table

ROW = np.dtype([("g", np.float32), ("h", np.float32), ("slot", np.int32), ("node", np.int32)])
"""What the search knows of a row, 16 bytes that never straddle two cache lines; slot -1: in no node of the level."""


class Totals(NamedTuple):
    """Sums of residuals and of weights float64, and rows int64, by slot of the level."""

    g: np.ndarray
    h: np.ndarray
    rows: np.ndarray


def pairs_of(rows: np.ndarray) -> np.ndarray:
    """A view of residuals and weights, float32 (rows, 2)."""
    return rows.view(np.float32).reshape(-1, 4)[:, :2]


def slots_of(rows: np.ndarray) -> np.ndarray:
    """A view of slots, int32 (rows,)."""
    return rows.view(np.int32).reshape(-1, 4)[:, 2]


def start_level(residual: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> None:
    """Put all rows into the root, which has slot 0."""
    rows["g"], rows["h"], rows["slot"], rows["node"] = residual, weight, 0, 0


@njit(cache=True)
def add_up(rows: np.ndarray, slots: int) -> Totals:
    """The totals of the level's nodes."""
    g, h, count = np.zeros(slots), np.zeros(slots), np.zeros(slots, dtype=np.int64)
    for i in range(len(rows)):
        slot = rows[i]["slot"]
        if slot >= 0:
            g[slot] += rows[i]["g"]
            h[slot] += rows[i]["h"]
            count[slot] += 1
    return Totals(g, h, count)


def move_rows(
    rows: np.ndarray,
    table: Table,
    feature: np.ndarray,
    threshold: np.ndarray,
    default_left: np.ndarray,
    left_slot: np.ndarray,
    left_node: np.ndarray,
) -> None:
    """Move each row to its child's slot and node; the arrays are by slot of the old level, ``left_slot`` -1: a leaf."""
    arrays = (feature, threshold, default_left, left_slot, left_node)
    if table.is_dense:
        _move_dense(rows, table.x, *arrays)
    else:
        _move_compressed(rows, table.values, table.columns, table.row_starts, *arrays)


@njit(cache=True)
def _move(
    rows: np.ndarray,
    i: int,
    value: float,
    threshold: np.ndarray,
    default_left: np.ndarray,
    left_slot: np.ndarray,
    left_node: np.ndarray,
) -> None:
    slot = rows[i]["slot"]
    right = not default_left[slot] if math.isnan(value) else value > threshold[slot]
    rows[i]["node"] = left_node[slot] + right
    rows[i]["slot"] = left_slot[slot] + right


@njit(cache=True, parallel=True)
def _move_dense(
    rows: np.ndarray,
    x: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    default_left: np.ndarray,
    left_slot: np.ndarray,
    left_node: np.ndarray,
) -> None:
    for i in prange(len(rows)):
        slot = rows[i]["slot"]
        if slot >= 0:
            if left_slot[slot] < 0:
                rows[i]["slot"] = -1
            else:
                _move(rows, i, x[i, feature[slot]], threshold, default_left, left_slot, left_node)


@njit(cache=True, parallel=True)
def _move_compressed(
    rows: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    default_left: np.ndarray,
    left_slot: np.ndarray,
    left_node: np.ndarray,
) -> None:
    for i in prange(len(rows)):
        slot = rows[i]["slot"]
        if slot >= 0:
            if left_slot[slot] < 0:
                rows[i]["slot"] = -1
            else:
                first, last = row_starts[i], row_starts[i + 1]
                place = first + np.searchsorted(columns[first:last], feature[slot])
                value = np.nan
                if place < last and columns[place] == feature[slot]:
                    value = np.float64(values[place])
                _move(rows, i, value, threshold, default_left, left_slot, left_node)
