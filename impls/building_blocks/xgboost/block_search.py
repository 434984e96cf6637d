"""Exact search over column blocks, every node of a level at once (Chen and Guestrin 2016, Algorithm 3, §4.1, §4.2).

A candidate of feature f is coded as 2 p + (1 if absent entries go left), where the node's present entries among the
first p of the block go left. Smaller codes have lower thresholds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.gain import NO_SPLIT, TIE, node_score, split_score
from impls.building_blocks.trees.histogram import total
from impls.building_blocks.xgboost.blocks import Blocks
from impls.building_blocks.xgboost.level import Totals

AHEAD = 1024
"""Rows that a thread fetches before it sums them: 12 KiB, which stay in the first-level cache."""


@njit(cache=True, parallel=True)
def search_present(
    blocks: Blocks,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    ahead: int,
    found: np.ndarray,
) -> int:
    """Scan the present entries of each feature upwards with absent ones on the right, downwards with them on the left.

    A feature without absent entries is scanned once. Writes the best split of each slot and feature into ``found``
    (slots, features); returns the number of entries visited.

    :param pairs: residual and weight of each row, and ``slots_of`` its slot, see :mod:`level`.
    :param ahead: how many rows are fetched into a buffer before any of them is summed; 1 for none.
    """
    features, slots = len(blocks.present), len(totals.g)
    visited = np.zeros(features, dtype=np.int64)
    for f in prange(features):
        start, stop = blocks.starts[f], blocks.starts[f] + blocks.present[f]
        order, values = blocks.order[start:stop], blocks.values[start:stop]
        complete = stop - start == len(slots_of)
        best, code = np.full(slots, NO_SPLIT), np.zeros(slots, dtype=np.int64)
        _scan(order, values, pairs, slots_of, totals, min_rows, gain, ahead, complete, best, code)
        visited[f] = stop - start
        if not complete:
            visited[f] += stop - start
            down, down_code = np.full(slots, NO_SPLIT), np.zeros(slots, dtype=np.int64)
            backwards, falling = order[::-1], values[::-1]
            _scan_down(backwards, falling, pairs, slots_of, totals, min_rows, gain, ahead, down, down_code)
            for slot in range(slots):
                _merge(slot, down, down_code, best, code)
        for slot in range(slots):
            found[slot, f]["score"], found[slot, f]["bin"] = best[slot], code[slot]
            found[slot, f]["gain"] = best[slot] - node_score(gain, totals.g[slot], totals.h[slot])
    return total(visited)


@njit(cache=True)
def _merge(slot: int, down: np.ndarray, down_code: np.ndarray, best: np.ndarray, code: np.ndarray) -> None:
    """Keep the better of both scans; of tied ones the lower threshold, then absent entries on the left."""
    if down[slot] == NO_SPLIT:
        return
    tied = abs(down[slot] - best[slot]) <= TIE * max(down[slot], best[slot])
    if (down[slot] > best[slot] and not tied) or (tied and down_code[slot] // 2 <= code[slot] // 2):
        best[slot], code[slot] = down[slot], down_code[slot]


@njit(cache=True)
def _fetch(
    order: np.ndarray, begin: int, end: int, pairs: np.ndarray, slots_of: np.ndarray, g: np.ndarray, slot: np.ndarray
) -> None:
    """Copy what is known of the rows of a batch: loads that do not wait for each other."""
    for k in range(end - begin):
        row = order[begin + k]
        g[k, 0], g[k, 1], slot[k] = pairs[row, 0], pairs[row, 1], slots_of[row]


@njit(cache=True)
def _scan(
    order: np.ndarray,
    values: np.ndarray,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    ahead: int,
    complete: bool,
    best: np.ndarray,
    code: np.ndarray,
) -> None:
    """Sum upwards; absent entries are on the right, or there are none."""
    slots = len(best)
    sums, weights, seen = np.zeros(slots), np.zeros(slots), np.zeros(slots, dtype=np.int64)
    last, places = np.empty(slots, dtype=np.float32), np.zeros(slots, dtype=np.int64)
    fetched, fetched_slot = np.empty((ahead, 2), dtype=np.float32), np.empty(ahead, dtype=np.int32)
    all_g, all_h, all_rows = totals.g, totals.h, totals.rows
    for begin in range(0, len(order), ahead):
        end = min(len(order), begin + ahead)
        if ahead > 1:
            _fetch(order, begin, end, pairs, slots_of, fetched, fetched_slot)
        for k in range(begin, end):
            if ahead > 1:
                slot, g, h = fetched_slot[k - begin], fetched[k - begin, 0], fetched[k - begin, 1]
            else:
                row = order[k]
                slot, g, h = slots_of[row], pairs[row, 0], pairs[row, 1]
            if slot < 0:
                continue
            value, left, weight, count = values[k], sums[slot], weights[slot], seen[slot]
            if value != last[slot] and count >= min_rows and all_rows[slot] - count >= min_rows:
                score = split_score(gain, left, weight, all_g[slot] - left, all_h[slot] - weight)
                if score > best[slot] * (1 + TIE) or best[slot] == NO_SPLIT < score:
                    best[slot], code[slot] = score, 2 * places[slot] + complete
            sums[slot], weights[slot], seen[slot] = left + g, weight + h, count + 1
            last[slot], places[slot] = value, k + 1
    if complete:
        return
    for slot in range(slots):
        if min_rows <= seen[slot] <= all_rows[slot] - min_rows:
            left, weight = sums[slot], weights[slot]
            score = split_score(gain, left, weight, all_g[slot] - left, all_h[slot] - weight)
            if score > best[slot] * (1 + TIE) or best[slot] == NO_SPLIT < score:
                best[slot], code[slot] = score, 2 * places[slot]


@njit(cache=True)
def _scan_down(
    order: np.ndarray,
    values: np.ndarray,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    ahead: int,
    best: np.ndarray,
    code: np.ndarray,
) -> None:
    """Sum downwards (``order`` and ``values`` come reversed); absent entries are on the left.

    Of tied candidates the last stays, whose threshold is the lowest.
    """
    slots = len(best)
    sums, weights, seen = np.zeros(slots), np.zeros(slots), np.zeros(slots, dtype=np.int64)
    last = np.empty(slots, dtype=np.float32)
    fetched, fetched_slot = np.empty((ahead, 2), dtype=np.float32), np.empty(ahead, dtype=np.int32)
    all_g, all_h, all_rows = totals.g, totals.h, totals.rows
    for begin in range(0, len(order), ahead):
        end = min(len(order), begin + ahead)
        if ahead > 1:
            _fetch(order, begin, end, pairs, slots_of, fetched, fetched_slot)
        for k in range(begin, end):
            if ahead > 1:
                slot, g, h = fetched_slot[k - begin], fetched[k - begin, 0], fetched[k - begin, 1]
            else:
                row = order[k]
                slot, g, h = slots_of[row], pairs[row, 0], pairs[row, 1]
            if slot < 0:
                continue
            value, right, weight, count = values[k], sums[slot], weights[slot], seen[slot]
            if value != last[slot] and count >= min_rows and all_rows[slot] - count >= min_rows:
                score = split_score(gain, all_g[slot] - right, all_h[slot] - weight, right, weight)
                if score >= best[slot] * (1 - TIE) and score > NO_SPLIT:
                    best[slot], code[slot] = max(best[slot], score), 2 * (len(order) - k) + 1
            sums[slot], weights[slot], seen[slot] = right + g, weight + h, count + 1
            last[slot] = value
    for slot in range(slots):
        if min_rows <= seen[slot] <= all_rows[slot] - min_rows:
            right, weight = sums[slot], weights[slot]
            score = split_score(gain, all_g[slot] - right, all_h[slot] - weight, right, weight)
            if score >= best[slot] * (1 - TIE) and score > NO_SPLIT:
                best[slot], code[slot] = max(best[slot], score), 1


@njit(cache=True)
def threshold_of(blocks: Blocks, f: int, code: int) -> float:
    """The threshold that a candidate's code stands for: midway to the next value of the whole training set."""
    place, present = code // 2, blocks.present[f]
    if place == 0:
        return -math.inf
    values = blocks.values[blocks.starts[f] : blocks.starts[f] + present]
    after = np.searchsorted(values, values[place - 1], side="right")
    if after == present:
        return math.inf
    return (np.float64(values[place - 1]) + np.float64(values[after])) / 2
