"""Range answers in Numba: rows whose lengths are known only after the search, made with one search in the usual case.

Every query gets ``FIRST_ROOM`` slots and its hits are counted in full; only queries with more hits are searched again,
straight into the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange

from impls.building_blocks.knn.checks import Answer

FIRST_ROOM = 32
INSERTION_UP_TO = 48
MOST_WAITING = 64
# (selected queries, start of each query's slots, how many slots, distances, indices, found): writes the last three.
SearchInto = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], None]


def collect(search_into: SearchInto, m: int, squared: bool) -> Answer:
    """Run ``search_into`` for m queries and return the sorted answer, the root taken where distances are squared."""
    everyone = np.arange(m)
    found = np.zeros(m, dtype=np.int64)
    starts, rooms = everyone * FIRST_ROOM, np.full(m, FIRST_ROOM)
    scratch = np.empty(m * FIRST_ROOM, dtype=np.float64), np.empty(m * FIRST_ROOM, dtype=np.int64)
    search_into(everyone, starts, rooms, *scratch, found)
    offsets = np.zeros(m + 1, dtype=np.int64)
    np.cumsum(found, out=offsets[1:])
    distances = np.empty(offsets[-1], dtype=np.float64)
    indices = np.empty(offsets[-1], dtype=np.int64)
    crowded = np.flatnonzero(found > FIRST_ROOM)
    if len(crowded):
        search_into(crowded, offsets[:-1], found.copy(), distances, indices, found)
    _finish(*scratch, offsets, distances, indices, squared)
    return distances, indices, offsets


@njit(cache=True, parallel=True)
def _finish(
    scratch_distances: Any, scratch_indices: Any, offsets: Any, distances: Any, indices: Any, squared: bool
) -> None:
    for i in prange(len(offsets) - 1):
        low, high = offsets[i], offsets[i + 1]
        if high - low <= FIRST_ROOM:
            start = i * FIRST_ROOM
            for place in range(low, high):  # an assignment of arrays takes Numba two seconds more to compile
                distances[place] = scratch_distances[start + place - low]
                indices[place] = scratch_indices[start + place - low]
        _sort_row(distances[low:high], indices[low:high])
        if squared:
            for place in range(low, high):
                distances[place] = np.sqrt(distances[place])


@njit(cache=True)
def _sort_row(values: Any, indices: Any) -> None:
    """Quicksort of both by ``values`` in place, pivots from three (Sedgewick 1978, Implementing quicksort programs)."""
    low, high = 0, len(values) - 1
    waiting = np.empty((MOST_WAITING if high >= INSERTION_UP_TO else 0, 2), dtype=np.int64)
    count = 0
    while True:
        while high - low >= INSERTION_UP_TO:
            left, right = _partition(values, indices, low, high)
            # The longer part waits, so that no more of them wait than the length has bits.
            if right - low > high - left:
                waiting[count, 0], waiting[count, 1] = low, right
                low = left
            else:
                waiting[count, 0], waiting[count, 1] = left, high
                high = right
            count += 1
        _insertion_sort(values, indices, low, high)
        if count == 0:
            return
        count -= 1
        low, high = waiting[count, 0], waiting[count, 1]


@njit(cache=True)
def _partition(values: Any, indices: Any, low: int, high: int) -> tuple[int, int]:
    """Swap until no value up to ``right`` is greater than one from ``left`` on; returns ``left`` and ``right``."""
    first, middle, last = values[low], values[(low + high) // 2], values[high]
    pivot = max(min(first, middle), min(max(first, middle), last))
    left, right = low, high
    while left <= right:
        while values[left] < pivot:
            left += 1
        while values[right] > pivot:
            right -= 1
        if left <= right:
            values[left], values[right] = values[right], values[left]
            indices[left], indices[right] = indices[right], indices[left]
            left += 1
            right -= 1
    return left, right


@njit(cache=True)
def _insertion_sort(values: Any, indices: Any, low: int, high: int) -> None:
    for i in range(low + 1, high + 1):
        value, index = values[i], indices[i]
        j = i
        while j > low and values[j - 1] > value:
            values[j] = values[j - 1]
            indices[j] = indices[j - 1]
            j -= 1
        values[j] = value
        indices[j] = index
