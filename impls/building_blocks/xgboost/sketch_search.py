"""Search among proposed candidates: entries are summed by (node, candidate), then every candidate is scored.

The candidates of a feature are values in increasing order; candidate b divides smaller values from those at least as
large. A split is coded as 2 b + (1 if absent entries go left), b from 0 to the number of candidates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.gain import NO_SPLIT, TIE, node_score, split_score
from impls.building_blocks.xgboost.blocks import Blocks
from impls.building_blocks.xgboost.level import Totals


class Candidates(NamedTuple):
    """Values float32 of feature f from ``starts[f]`` to ``starts[f + 1]``."""

    values: np.ndarray
    starts: np.ndarray


@njit(cache=True, parallel=True)
def search_candidates(
    blocks: Blocks,
    candidates: Candidates,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    totals: Totals,
    min_rows: int,
    gain: Any,
    is_sorted: bool,
    found: np.ndarray,
) -> tuple[int, int]:
    """Write the best split of each slot and feature into ``found``; returns entries visited and steps of searching.

    With sorted blocks a step is one of a scan along entries and candidates, otherwise one of a binary search.
    """
    features, slots = len(blocks.present), len(totals.g)
    visited, steps = np.zeros(features, dtype=np.int64), np.zeros(features, dtype=np.int64)
    for f in prange(features):
        start, stop = blocks.starts[f], blocks.starts[f] + blocks.present[f]
        order, values = blocks.order[start:stop], blocks.values[start:stop]
        cuts = candidates.values[candidates.starts[f] : candidates.starts[f + 1]]
        histogram = np.zeros((slots, len(cuts), 3))
        visited[f] = stop - start
        if is_sorted:
            steps[f] = _add_sorted(order, values, cuts, pairs, slots_of, histogram)
        else:
            steps[f] = _add_searching(order, values, cuts, pairs, slots_of, histogram)
        for slot in range(slots):
            score, code = best_candidate(histogram[slot], slot, totals, min_rows, gain)
            found[slot, f]["score"], found[slot, f]["bin"] = score, code
            found[slot, f]["gain"] = score - node_score(gain, totals.g[slot], totals.h[slot])
    return visited.sum(), steps.sum()


@njit(cache=True)
def _add_sorted(
    order: np.ndarray,
    values: np.ndarray,
    cuts: np.ndarray,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    histogram: np.ndarray,
) -> int:
    b, steps = 0, 0
    for k in range(len(order)):
        steps += 1
        while b + 1 < len(cuts) and cuts[b + 1] <= values[k]:
            b += 1
            steps += 1
        _add(order[k], b, pairs, slots_of, histogram)
    return steps


@njit(cache=True)
def _add_searching(
    order: np.ndarray,
    values: np.ndarray,
    cuts: np.ndarray,
    pairs: np.ndarray,
    slots_of: np.ndarray,
    histogram: np.ndarray,
) -> int:
    steps = 0
    for k in range(len(order)):
        low, high = 0, len(cuts)
        while high - low > 1:
            middle = (low + high) // 2
            steps += 1
            if cuts[middle] <= values[k]:
                low = middle
            else:
                high = middle
        _add(order[k], low, pairs, slots_of, histogram)
    return steps


@njit(cache=True, inline="always")
def _add(row: int, b: int, pairs: np.ndarray, slots_of: np.ndarray, histogram: np.ndarray) -> None:
    slot = slots_of[row]
    if slot >= 0:
        histogram[slot, b, 0] += pairs[row, 0]
        histogram[slot, b, 1] += pairs[row, 1]
        histogram[slot, b, 2] += 1.0


@njit(cache=True)
def best_candidate(histogram: np.ndarray, slot: int, totals: Totals, min_rows: int, gain: Any) -> tuple[float, int]:
    """The best split's score and code from sums, weights and rows by candidate (candidates, 3)."""
    all_g, all_h, all_rows = totals.g[slot], totals.h[slot], totals.rows[slot]
    lost_g, lost_h, lost = all_g, all_h, float(all_rows)
    for b in range(len(histogram)):
        lost_g -= histogram[b, 0]
        lost_h -= histogram[b, 1]
        lost -= histogram[b, 2]
    best, code, g, h, rows = NO_SPLIT, 0, 0.0, 0.0, 0.0
    for b in range(len(histogram) + 1):
        for default_left in range(1, -1, -1):
            if lost == 0.0:
                left, weight, count = g, h, rows
            else:
                left, weight, count = g + default_left * lost_g, h + default_left * lost_h, rows + default_left * lost
            if count >= min_rows and all_rows - count >= min_rows:
                score = split_score(gain, left, weight, all_g - left, all_h - weight)
                if score > best * (1 + TIE) or best == NO_SPLIT < score:
                    best, code = score, 2 * b + default_left
        if b < len(histogram):
            g += histogram[b, 0]
            h += histogram[b, 1]
            rows += histogram[b, 2]
    return best, code
