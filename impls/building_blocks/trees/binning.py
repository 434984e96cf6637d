"""Binning of features: cut values from sorted columns, and bin numbers of one byte.

A feature's bins are ``value <= cut``, where a cut is itself a training value: the last one of its bin. The split
behind bin b has the threshold midway between the cut and the next distinct training value.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from harness.contract import thread_count

PIECE = 1024
"""Rows per piece: a piece of a table of 28 features stays in the second-level cache."""
STRIDE = 256
"""Places per feature in every table of bins; a bin's number fits in one byte."""


class Bins(NamedTuple):
    """Cuts float32 and thresholds float64 (features, 256), of which feature f has ``counts[f] - 1``."""

    cuts: np.ndarray
    thresholds: np.ndarray
    counts: np.ndarray


def find_bins(x: np.ndarray, bins: int) -> Bins:
    """At most ``bins`` bins of each column of ``x`` (rows, features), evenly filled where it has more distinct values.

    :raises ValueError: a bin's number would not fit in one byte.
    """
    if not 2 <= bins <= STRIDE:
        raise ValueError(f"bins must be from 2 to {STRIDE}, not {bins}")
    columns = np.ascontiguousarray(x.T)
    features, threads = len(columns), thread_count()
    if threads == 1:
        columns.sort(axis=1)
    else:
        with ThreadPoolExecutor(threads) as pool:  # NumPy sorts without holding the interpreter's lock
            list(pool.map(np.ndarray.sort, columns))
    cuts = np.full((features, STRIDE), np.inf, dtype=np.float32)
    thresholds = np.full((features, STRIDE), np.inf)
    counts = np.empty(features, dtype=np.int64)
    _cut(columns, bins, cuts, thresholds, counts)
    return Bins(cuts, thresholds, counts)


@njit(cache=True, parallel=True)
def _cut(columns: np.ndarray, bins: int, cuts: np.ndarray, thresholds: np.ndarray, counts: np.ndarray) -> None:
    features, rows = columns.shape
    for f in prange(features):
        column = columns[f]
        distinct = 1
        for i in range(1, rows):
            distinct += column[i] != column[i - 1]
        found = 0
        if distinct <= bins:
            for i in range(1, rows):
                if column[i] != column[i - 1]:
                    cuts[f, found] = column[i - 1]
                    thresholds[f, found] = (np.float64(column[i - 1]) + np.float64(column[i])) / 2
                    found += 1
        else:
            after = 0
            for k in range(1, bins):
                value = column[(k * rows + bins - 1) // bins - 1]
                if found and cuts[f, found - 1] == value:
                    continue
                while after < rows and column[after] <= value:
                    after += 1
                if after == rows:
                    break
                cuts[f, found] = value
                thresholds[f, found] = (np.float64(value) + np.float64(column[after])) / 2
                found += 1
        counts[f] = found + 1


@njit(cache=True, parallel=True)
def bin_codes(x: np.ndarray, cuts: np.ndarray, width: int) -> np.ndarray:
    """Bin numbers uint8 (groups, rows, width): ``width`` neighbouring features lie side by side.

    Features beyond the last one, which fill the last group, are all in bin 0.
    """
    rows, features = x.shape
    groups = (features + width - 1) // width
    codes = np.zeros((groups, rows, width), dtype=np.uint8)
    for piece in prange((rows + PIECE - 1) // PIECE):
        for f in range(features):
            own, group, w = cuts[f], f // width, f % width
            for i in range(piece * PIECE, min(rows, (piece + 1) * PIECE)):
                codes[group, i, w] = _bin(own, x[i, f])
    return codes


@njit(cache=True)
def _bin(cuts: np.ndarray, value: float) -> int:
    """How many of 256 sorted cuts lie below ``value``: eight steps without a branch."""
    low = 0
    for step in (128, 64, 32, 16, 8, 4, 2, 1):
        low += step * (cuts[low + step - 1] < value)
    return low
