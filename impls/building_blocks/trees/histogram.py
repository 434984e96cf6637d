"""Histograms of sums and weights by bin: adding rows, subtracting siblings, searching for the best bin to split behind.

A histogram of one feature is one of these, which compiled code tells apart by what is added for a row:

- float64 (256, 2), the sum of what is added (float64 by row) and the number of rows of each bin;
- float64 (256, 3), where a row adds two numbers (float64, (rows, 2)): the sum, the number of rows, the sum of weights;
- packed int64 (256,), where a row adds one int64: the number of rows has the low ``count_bits`` bits and the sum, in
  units of ``unit``, the rest, so that one addition does both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.trees.gain import NO_SPLIT, REORDER, TIE, node_score, split_score


@njit(cache=True)
def add_rows(histograms: np.ndarray, features: int, codes: np.ndarray, rows: np.ndarray, values: np.ndarray) -> int:
    """Add rows to the histograms (features, 256, ...) of the features that ``codes`` (all rows, width) holds.

    ``values`` is what each of ``rows`` adds. Returns the number of updates, without those of
    the columns beyond ``features`` that only pad ``codes``.
    """
    width = codes.shape[1]
    updates = 0
    if width == 4:
        first, second, third, fourth = histograms[0], histograms[1], histograms[2], histograms[3]
        updates = _add_four(first, second, third, fourth, features, codes, rows, values)
    else:
        for i in range(len(rows)):
            row, value = rows[i], values[i]
            for w in range(width):
                _add(histograms[w], codes[row, w], value)
                updates += 1
    return updates


@njit(cache=True)
def _add_four(
    first: np.ndarray,
    second: np.ndarray,
    third: np.ndarray,
    fourth: np.ndarray,
    features: int,
    codes: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
) -> int:
    """Four independent chains of additions, so that one need not wait for another's store."""
    updates = 0
    for i in range(len(rows)):
        row, value = rows[i], values[i]
        _add(first, codes[row, 0], value)
        _add(second, codes[row, 1], value)
        _add(third, codes[row, 2], value)
        _add(fourth, codes[row, 3], value)
        updates += features
    return updates


@njit(cache=True)
def _add(histogram: np.ndarray, code: int, value: Any) -> None:
    if histogram.ndim == 1:
        histogram[code] += value
    elif isinstance(value, float):
        histogram[code, 0] += value
        histogram[code, 1] += 1.0
    else:
        histogram[code, 0] += value[0]
        histogram[code, 1] += 1.0
        histogram[code, 2] += value[1]


@njit(cache=True)
def clear(histogram: np.ndarray, bins: int) -> None:
    histogram[:bins] = 0


@njit(cache=True)
def add(histogram: np.ndarray, other: np.ndarray, bins: int) -> None:
    """Add ``other`` to ``histogram``, in place."""
    own, others = histogram[:bins].reshape(-1), other[:bins].reshape(-1)
    for b in range(len(own)):
        own[b] += others[b]


@njit(cache=True)
def subtract(histogram: np.ndarray, other: np.ndarray, bins: int) -> None:
    """Take ``other`` from ``histogram``, in place."""
    own, others = histogram[:bins].reshape(-1), other[:bins].reshape(-1)
    for b in range(len(own)):
        own[b] -= others[b]


@njit(cache=True, fastmath=REORDER)
def best_bin(
    histogram: np.ndarray,
    bins: int,
    rows: int,
    min_rows: int,
    gain: Any,
    unit: float,
    count_bits: int,
    scratch: np.ndarray,
) -> tuple[float, float, int, int]:
    """The best split of one feature in a node of ``rows`` rows: (score, gain, bin, candidates examined).

    ``scratch`` is float64 (4, 256).
    """
    sums, counts, scores = scratch[0], scratch[1], scratch[2]
    weights = _accumulate(histogram, bins, unit, count_bits, sums, counts, scratch[3])
    total, weight = sums[bins - 1], weights[bins - 1]
    low, high = 0, bins - 1
    while low < high and counts[low] < min_rows:
        low += 1
    while low < high and rows - counts[high - 1] < min_rows:
        high -= 1
    if low == high:
        return NO_SPLIT, 0.0, 0, bins - 1
    best = NO_SPLIT
    for b in range(low, high):
        scores[b] = split_score(gain, sums[b], weights[b], total - sums[b], weight - weights[b])
        best = max(best, scores[b])
    if best == NO_SPLIT:
        return NO_SPLIT, 0.0, 0, bins - 1
    chosen = low
    while scores[chosen] < best * (1 - TIE):
        chosen += 1
    return best, best - node_score(gain, total, weight), chosen, bins - 1


@njit(cache=True, fastmath=REORDER)
def _accumulate(
    histogram: np.ndarray,
    bins: int,
    unit: float,
    count_bits: int,
    sums: np.ndarray,
    counts: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Sums and counts of the rows in bins up to and including each. Returns their weights, which may be the counts."""
    if histogram.ndim == 1:
        mask = (np.int64(1) << count_bits) - np.int64(1)
        running = np.int64(0)
        for b in range(bins):
            running += histogram[b]
            sums[b] = (running >> count_bits) * unit
            counts[b] = running & mask
        return counts
    running_sum = running_count = running_weight = 0.0
    for b in range(bins):
        running_sum += histogram[b, 0]
        running_count += histogram[b, 1]
        sums[b] = running_sum
        counts[b] = running_count
    if histogram.shape[1] == 2:
        return counts
    for b in range(bins):
        running_weight += histogram[b, 2]
        weights[b] = running_weight
    return weights


@njit(cache=True, parallel=True)
def build_by_feature(
    jobs: np.ndarray,
    nodes: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    codes: np.ndarray,
    bin_counts: np.ndarray,
    min_rows: int,
    gain: Any,
    unit: float,
    count_bits: int,
    found: np.ndarray,
    histograms: np.ndarray,
) -> tuple[int, int]:
    """Build, subtract and search for all ``jobs``, in parallel over groups of features.

    ``jobs`` (jobs, 2) are pairs of the child to build and its sibling (-1: none), which holds the parent's histogram.
    Returns the numbers of updates and candidates.
    """
    groups, _, width = codes.shape
    updates = np.zeros(groups, dtype=np.int64)
    candidates = np.zeros(groups, dtype=np.int64)
    for group in prange(groups):
        scratch = np.empty((4, 256))
        own_updates = own_candidates = 0
        first, last = group * width, min((group + 1) * width, len(bin_counts))
        for k in range(len(jobs)):
            small, large = jobs[k]
            start, stop = nodes[small]["start"], nodes[small]["stop"]
            histogram = histograms[nodes[small]["slot"]]
            for f in range(first, last):
                clear(histogram[f], bin_counts[f])
            padded = histogram[group * width : (group + 1) * width]
            own_updates += add_rows(padded, last - first, codes[group], rows[start:stop], values[start:stop])
            for f in range(first, last):
                own_candidates += settle(
                    small, large, f, nodes, histograms, bin_counts, min_rows, gain, unit, count_bits, found, scratch
                )
        updates[group], candidates[group] = own_updates, own_candidates
    return total(updates), total(candidates)


@njit(cache=True, parallel=True)
def build_by_row(
    jobs: np.ndarray,
    nodes: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    codes: np.ndarray,
    bin_counts: np.ndarray,
    min_rows: int,
    gain: Any,
    unit: float,
    count_bits: int,
    found: np.ndarray,
    histograms: np.ndarray,
    private: np.ndarray,
) -> tuple[int, int]:
    """The same, in parallel over pieces of a node's rows: each adds to a histogram of its own (``private``)."""
    chunks, features = len(private), len(bin_counts)
    updates = np.zeros(chunks, dtype=np.int64)
    candidates = np.zeros(features, dtype=np.int64)
    for k in range(len(jobs)):
        small, large = jobs[k]
        start, stop = nodes[small]["start"], nodes[small]["stop"]
        used = min(chunks, (stop - start + 1023) // 1024)
        for chunk in prange(used):
            first = start + chunk * (stop - start) // used
            last = start + (chunk + 1) * (stop - start) // used
            for f in range(features):
                clear(private[chunk, f], bin_counts[f])
            updates[chunk] += add_rows(private[chunk], features, codes[0], rows[first:last], values[first:last])
        for f in prange(features):
            scratch = np.empty((4, 256))
            histogram = histograms[nodes[small]["slot"], f]
            clear(histogram, bin_counts[f])
            for chunk in range(used):
                add(histogram, private[chunk, f], bin_counts[f])
            candidates[f] += settle(
                small, large, f, nodes, histograms, bin_counts, min_rows, gain, unit, count_bits, found, scratch
            )
    return total(updates), total(candidates)


@njit(cache=True)
def total(numbers: np.ndarray) -> int:
    result = 0
    for number in numbers:
        result += number
    return result


@njit(cache=True)
def settle(
    small: int,
    large: int,
    f: int,
    nodes: np.ndarray,
    histograms: np.ndarray,
    bin_counts: np.ndarray,
    min_rows: int,
    gain: Any,
    unit: float,
    count_bits: int,
    found: np.ndarray,
    scratch: np.ndarray,
) -> int:
    """Subtract the finished small child's histogram of feature ``f`` from its sibling's; search both."""
    bins, candidates = bin_counts[f], 0
    if large >= 0:
        subtract(histograms[nodes[large]["slot"], f], histograms[nodes[small]["slot"], f], bins)
    for node in (small, large):
        if node < 0:
            continue
        count = nodes[node]["stop"] - nodes[node]["start"]
        if count < 2 * min_rows:
            continue
        histogram = histograms[nodes[node]["slot"], f]
        score, gained, chosen, examined = best_bin(histogram, bins, count, min_rows, gain, unit, count_bits, scratch)
        found[node, f]["score"], found[node, f]["gain"], found[node, f]["bin"] = score, gained, chosen
        candidates += examined
    return candidates
