"""Exact search with a sort of every feature in every node: what pre-sorted blocks save. No entries may be absent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.gain import NO_SPLIT
from impls.building_blocks.trees.histogram import total
from impls.building_blocks.trees.presorted import CANDIDATES_AT_ONCE, scan
from impls.building_blocks.xgboost.block_growth import grow_trees
from impls.building_blocks.xgboost.blocks import Table
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.gain import RegularisedGain, gain_of
from impls.building_blocks.xgboost.level import Totals, pairs_of, slots_of
from suites.xgboost.model import Model


@dataclass
class SortingSearch:
    """A candidate is coded by the row with the largest value on its left."""

    columns: np.ndarray
    gain: RegularisedGain
    min_rows: int
    sorts: int = 0

    def begin_tree(self, weight: np.ndarray) -> None:
        pass

    def find(self, rows: np.ndarray, totals: Totals, found: np.ndarray) -> None:
        order, starts = _by_slot(slots_of(rows), len(totals.g))
        pairs = pairs_of(rows)
        self.sorts += _search(self.columns, order, starts, pairs[:, 0], pairs[:, 1], self.min_rows, self.gain, found)

    def threshold(self, feature: int, slot: int, code: int) -> float:
        column = self.columns[feature]
        value = column[code // 2]
        return float((np.float64(value) + np.float64(column[column > value].min())) / 2)


def fit_sorting(table: Table, y: np.ndarray, model: Model) -> Fitted:
    search = SortingSearch(np.ascontiguousarray(table.x.T), gain_of(model), max(1, model.min_rows))
    fitted = grow_trees(table, search, y, model)
    return replace(fitted, sorts=search.sorts)


@njit(cache=True)
def _by_slot(slots_of: np.ndarray, slots: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers grouped by slot, and where each group starts."""
    starts = np.zeros(slots + 1, dtype=np.int64)
    for slot in slots_of:
        if slot >= 0:
            starts[slot + 1] += 1
    for slot in range(slots):
        starts[slot + 1] += starts[slot]
    place, order = starts[:-1].copy(), np.empty(starts[-1], dtype=np.int64)
    for row in range(len(slots_of)):
        slot = slots_of[row]
        if slot >= 0:
            order[place[slot]] = row
            place[slot] += 1
    return order, starts


@njit(cache=True, parallel=True)
def _search(
    columns: np.ndarray,
    order: np.ndarray,
    starts: np.ndarray,
    sums: np.ndarray,
    weights: np.ndarray,
    min_rows: int,
    gain: Any,
    found: np.ndarray,
) -> int:
    """Sort and scan each slot's rows for every feature; returns the number of sorts."""
    sorts = np.zeros(len(columns), dtype=np.int64)
    for f in prange(len(columns)):
        scratch = np.empty((3, CANDIDATES_AT_ONCE))
        for slot in range(len(starts) - 1):
            rows = order[starts[slot] : starts[slot + 1]]
            found[slot, f]["score"], found[slot, f]["gain"] = NO_SPLIT, 0.0
            if len(rows) >= 2 * min_rows:
                keys = _keys(columns[f], rows)
                keys.sort()
                sorts[f] += 1
                by_value = np.empty(len(rows), dtype=np.int64)
                for k in range(len(rows)):
                    by_value[k] = np.int64(keys[k] & np.uint64(0xFFFFFFFF))
                score, gained, place, _ = scan(by_value, columns[f][by_value], sums, weights, min_rows, gain, scratch)
                found[slot, f]["score"], found[slot, f]["gain"] = score, gained
                found[slot, f]["bin"] = 2 * by_value[place] + 1
    return total(sorts)


@njit(cache=True)
def _keys(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Integers in the order of the rows' values, with the row's number in the low half."""
    bits = column.view(np.uint32)
    keys = np.empty(len(rows), dtype=np.uint64)
    for k in range(len(rows)):
        row = rows[k]
        own = bits[row] if column[row] != 0 else np.uint32(0)  # both zeros are one value
        # Positive numbers are ordered as their bits are, negative ones the other way round and below them.
        rank = np.uint32(own ^ np.uint32(0xFFFFFFFF)) if own >> np.uint32(31) else np.uint32(own | np.uint32(1 << 31))
        keys[k] = (np.uint64(rank) << np.uint64(32)) | np.uint64(row)
    return keys
