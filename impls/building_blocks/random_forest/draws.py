"""The suite's random draws in compiled code, see :mod:`suites.random_forest.draws`."""

from __future__ import annotations

import numpy as np
from numba import njit

from suites.random_forest.draws import FIRST_FACTOR, FIRST_SWAP, GOLDEN, SECOND_FACTOR

_GOLDEN, _FIRST, _SECOND = np.uint64(GOLDEN), np.uint64(FIRST_FACTOR), np.uint64(SECOND_FACTOR)


@njit(cache=True)
def draw(key: np.uint64, counter: int) -> np.uint64:
    """64 random bits."""
    z = key + np.uint64(counter + 1) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def below(bits: np.uint64, bound: int) -> np.int64:
    """A number in 0..bound-1 from 64 random bits."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@njit(cache=True)
def row_weights(key: np.uint64, rows: int) -> np.ndarray:
    """How often each row is drawn with replacement, int32 (rows,); ``key`` is the tree's for rows."""
    weights = np.zeros(rows, dtype=np.int32)
    for i in range(rows):
        weights[below(draw(key, i), rows)] += 1
    return weights


@njit(cache=True)
def next_feature(order: np.ndarray, swaps: np.ndarray, position: int, key: np.uint64) -> int:
    """The element at ``position`` of a node's permutation of ``order``, asked for from 0 on; the swap is noted."""
    other = position + below(draw(key, FIRST_SWAP + position), len(order) - position)
    swaps[position] = other
    order[position], order[other] = order[other], order[position]
    feature: int = order[position]
    return feature


@njit(cache=True)
def undo_swaps(order: np.ndarray, swaps: np.ndarray, count: int) -> None:
    """Put ``order`` back to what it was before ``count`` elements were asked for."""
    for position in range(count - 1, -1, -1):
        other = swaps[position]
        order[position], order[other] = order[other], order[position]
