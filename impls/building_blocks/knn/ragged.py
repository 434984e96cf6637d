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
            distances[low:high] = scratch_distances[start : start + high - low]
            indices[low:high] = scratch_indices[start : start + high - low]
        _sort_row(distances[low:high], indices[low:high])
        if squared:
            for place in range(low, high):
                distances[place] = np.sqrt(distances[place])


@njit(cache=True)
def _sort_row(values: Any, indices: Any) -> None:
    if len(values) > INSERTION_UP_TO:
        order = np.argsort(values)
        values[:] = values[order]
        indices[:] = indices[order]
        return
    for i in range(1, len(values)):
        value, index = values[i], indices[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            indices[j] = indices[j - 1]
            j -= 1
        values[j] = value
        indices[j] = index
