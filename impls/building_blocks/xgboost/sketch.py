"""Weighted quantile summaries that merge and prune (Chen and Guestrin 2016, appendix A), and proposing candidates.

A summary bounds the rank of each of its values: ``low`` <= sum of the weights of smaller values, sum of the weights of
values up to it <= ``high``. Summaries of parts merge without loss; pruning to b + 1 values adds an error of 1 / b.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

CHUNK = 4096
"""Rows that are sorted at once: the B of the paper's cost of the block structure."""


class Summary(NamedTuple):
    """Distinct values float32 in increasing order; their bounds of rank and weights float64."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray


def summarise_stream(values: np.ndarray, weights: np.ndarray, error: float, keep: int = 0) -> Summary:
    """A summary whose ranks are off by at most ``error`` of the total weight, from unsorted values in one pass.

    :param keep: so many values are never pruned.
    """
    chunks = max(1, -(-len(values) // CHUNK))
    size = max(keep, math.ceil((1 + math.ceil(math.log2(chunks))) / error))
    levels: list[Summary | None] = []
    for first in range(0, len(values), CHUNK):
        summary = summarise_sorted(*_sorted(values[first : first + CHUNK], weights[first : first + CHUNK]))
        # A binary counter: a chunk is pruned as often as the logarithm of their number, not as often as there are some.
        for level, waiting in enumerate(levels):
            if waiting is None:
                levels[level] = summary
                break
            summary, levels[level] = prune(merge(waiting, summary), size), None
        else:
            levels.append(summary)
    result = summarise_sorted(values[:0], weights[:0])
    for waiting in levels:
        if waiting is not None:
            result = merge(result, waiting)
    return result


def _sorted(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(values)
    return values[order], weights[order]


@njit(cache=True)
def summarise_sorted(values: np.ndarray, weights: np.ndarray) -> Summary:
    """The exact summary of values in increasing order."""
    distinct, low, high, own = values.copy(), np.empty(len(values)), np.empty(len(values)), np.zeros(len(values))
    count, running = 0, 0.0
    for i in range(len(values)):
        if i == 0 or values[i] != values[i - 1]:
            distinct[count], low[count] = values[i], running
            count += 1
        running += weights[i]
        own[count - 1] += weights[i]
        high[count - 1] = running
    return Summary(distinct[:count].copy(), low[:count].copy(), high[:count].copy(), own[:count].copy())


@njit(cache=True)
def merge(first: Summary, second: Summary) -> Summary:
    """The summary of both parts together."""
    room = len(first.values) + len(second.values)
    values, low = np.empty(room, dtype=np.float32), np.empty(room)
    high, weight = np.empty(room), np.empty(room)
    i = j = count = 0
    while i < len(first.values) or j < len(second.values):
        take_first = j == len(second.values) or (i < len(first.values) and first.values[i] <= second.values[j])
        take_second = i == len(first.values) or (j < len(second.values) and second.values[j] <= first.values[i])
        own = first.values[i] if take_first else second.values[j]
        a, b = _bounds(first, i, take_first), _bounds(second, j, take_second)
        values[count], low[count], high[count] = own, a[0] + b[0], a[1] + b[1]
        weight[count] = a[2] + b[2]
        i += take_first
        j += take_second
        count += 1
    return Summary(values[:count].copy(), low[:count].copy(), high[:count].copy(), weight[:count].copy())


@njit(cache=True)
def _bounds(summary: Summary, i: int, is_there: bool) -> tuple[float, float, float]:
    """Bounds and weight of value ``i``, or of a value that lies between it and the one before."""
    if is_there:
        return summary.low[i], summary.high[i], summary.weight[i]
    low = summary.low[i - 1] + summary.weight[i - 1] if i > 0 else 0.0
    high = summary.high[i - 1] if i > 0 else 0.0
    if i < len(summary.values):
        high = summary.high[i] - summary.weight[i]
    return low, high, 0.0


@njit(cache=True)
def prune(summary: Summary, size: int) -> Summary:
    """At most ``size + 1`` of the values, at evenly spaced ranks; the smallest and the largest stay."""
    count = len(summary.values)
    if count <= size + 1:
        return summary
    kept, n_kept, i = np.empty(size + 1, dtype=np.int64), 0, 0
    total = summary.high[count - 1]
    for k in range(size + 1):
        rank = k * total / size
        while i + 1 < count and summary.low[i + 1] + summary.high[i + 1] <= 2 * rank:
            i += 1
        chosen = i
        if i + 1 < count:
            turn = summary.low[i] + summary.weight[i] + summary.high[i + 1] - summary.weight[i + 1]
            chosen = i if 2 * rank < turn else i + 1
        chosen = 0 if k == 0 else count - 1 if k == size else chosen
        if n_kept == 0 or chosen > kept[n_kept - 1]:
            kept[n_kept] = chosen
            n_kept += 1
    place = kept[:n_kept]
    return Summary(summary.values[place], summary.low[place], summary.high[place], summary.weight[place])


@njit(cache=True)
def propose(summary: Summary, error: float, keep: int) -> np.ndarray:
    """Candidates: values of which neighbours differ in rank by at most ``error`` of the total, or have none between.

    From an exact summary there are at most 2 / error + 1. Where there are at most ``keep`` values all are candidates.
    """
    count = len(summary.values)
    if count <= keep:
        return summary.values.copy()
    total, chosen, n_chosen, last = summary.high[count - 1], np.empty(count, dtype=np.int64), 0, 0.0
    for i in range(count):
        too_far = i + 1 == count or summary.low[i + 1] - last > error * total
        if i == 0 or too_far:
            chosen[n_chosen] = i
            n_chosen += 1
            last = summary.low[i]
    return summary.values[chosen[:n_chosen]]
