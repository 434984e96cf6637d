"""The same search where absent entries are stored as NaN and visited like all others: no use is made of sparsity."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.gain import NO_SPLIT, TIE, node_score, split_score
from impls.building_blocks.trees.histogram import total
from impls.building_blocks.xgboost.blocks import Blocks
from impls.building_blocks.xgboost.level import Totals


@njit(cache=True, parallel=True)
def search_all(
    blocks: Blocks,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    found: np.ndarray,
) -> int:
    """Visit every entry once: first the absent ones, for their sums, then the others, scoring both default sides.

    Candidates are coded as in :mod:`impls.building_blocks.xgboost.block_search`. Returns the number of visits.
    """
    features, slots = len(blocks.present), len(totals.g)
    visited = np.zeros(features, dtype=np.int64)
    for f in prange(features):
        start, stop = blocks.starts[f], blocks.starts[f + 1]
        order, values = blocks.order[start:stop], blocks.values[start:stop]
        best, code = np.full(slots, NO_SPLIT), np.zeros(slots, dtype=np.int64)
        _scan(order, values, blocks.present[f], pairs, slots_of, totals, min_rows, gain, best, code)
        visited[f] = stop - start
        for slot in range(slots):
            found[slot, f]["score"], found[slot, f]["bin"] = best[slot], code[slot]
            found[slot, f]["gain"] = best[slot] - node_score(gain, totals.g[slot], totals.h[slot])
    return total(visited)


@njit(cache=True)
def _scan(
    order: np.ndarray,
    values: np.ndarray,
    present: int,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    best: np.ndarray,
    code: np.ndarray,
) -> None:
    slots = len(best)
    lost_g, lost_h, lost = np.zeros(slots), np.zeros(slots), np.zeros(slots, dtype=np.int64)
    for k in range(present, len(order)):
        row = order[k]
        slot = slots_of[row]
        if slot >= 0:
            lost_g[slot] += pairs[row, 0]
            lost_h[slot] += pairs[row, 1]
            lost[slot] += 1
    sums, weights, seen = np.zeros(slots), np.zeros(slots), np.zeros(slots, dtype=np.int64)
    last, places = np.empty(slots, dtype=np.float32), np.zeros(slots, dtype=np.int64)
    for slot in range(slots):
        if lost[slot] > 0:
            _judge(slot, lost_g[slot], lost_h[slot], lost[slot], totals, min_rows, gain, 1, best, code)
    for k in range(present):
        row = order[k]
        slot = slots_of[row]
        if slot < 0:
            continue
        value, left, weight, count = values[k], sums[slot], weights[slot], seen[slot]
        if count > 0 and value != last[slot]:
            coded = 2 * places[slot]
            g, h, rows = left + lost_g[slot], weight + lost_h[slot], count + lost[slot]
            _judge(slot, g, h, rows, totals, min_rows, gain, coded + 1, best, code)
            if lost[slot] > 0:
                _judge(slot, left, weight, count, totals, min_rows, gain, coded, best, code)
        sums[slot], weights[slot], seen[slot] = left + pairs[row, 0], weight + pairs[row, 1], count + 1
        last[slot], places[slot] = value, k + 1
    for slot in range(slots):
        if seen[slot] > 0 and lost[slot] > 0:
            coded = 2 * places[slot]
            _judge(slot, sums[slot], weights[slot], seen[slot], totals, min_rows, gain, coded, best, code)


@njit(cache=True, inline="always")
def _judge(
    slot: int,
    left: float,
    weight: float,
    count: int,
    totals: Totals,
    min_rows: int,
    gain: Any,
    coded: int,
    best: np.ndarray,
    code: np.ndarray,
) -> None:
    """Score the candidate with these sums and rows on the left."""
    if count >= min_rows and totals.rows[slot] - count >= min_rows:
        score = split_score(gain, left, weight, totals.g[slot] - left, totals.h[slot] - weight)
        if score > best[slot] * (1 + TIE) or best[slot] == NO_SPLIT < score:
            best[slot], code[slot] = score, coded
