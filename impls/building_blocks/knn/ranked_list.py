"""The k best so far, in Numba: a sorted array while k is small, a binary max-heap beyond.

In both the worst is at a fixed place, ``worst_place(k)``; ``finish`` leaves them ascending.
"""

from __future__ import annotations

from typing import Any

from numba import njit

SORTED_UP_TO = 64


@njit(cache=True, inline="always")
def worst_place(k: int) -> int:
    return k - 1 if k <= SORTED_UP_TO else 0


@njit(cache=True)
def offer(values: Any, indices: Any, k: int, value: float, index: int) -> None:
    """Replace the worst, which ``value`` must be better than."""
    if k <= SORTED_UP_TO:
        place = k - 1
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            indices[place] = indices[place - 1]
            place -= 1
        values[place] = value
        indices[place] = index
    else:
        _sift_down(values, indices, k, value, index)


@njit(cache=True)
def _sift_down(values: Any, indices: Any, size: int, value: float, index: int) -> None:
    """Put ``value`` at the root of a heap whose root is free."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[place] = values[child]
        indices[place] = indices[child]
        place = child
    values[place] = value
    indices[place] = index


@njit(cache=True)
def finish(values: Any, indices: Any, k: int) -> None:
    """Sort ascending."""
    if k <= SORTED_UP_TO:
        return
    for size in range(k - 1, 0, -1):
        value, index = values[size], indices[size]
        values[size], indices[size] = values[0], indices[0]
        _sift_down(values, indices, size, value, index)
