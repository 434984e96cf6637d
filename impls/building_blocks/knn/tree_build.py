"""A k-d tree of perfect shape in Numba: median splits, node i with children 2i+1 and 2i+2, points in leaf order.

Friedman, Bentley and Finkel 1977: each node splits the dimension in which its points spread widest, at their median;
Bentley 1975: the dimensions in turn (``cyclic``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

SMALL_SAMPLE, LARGE_SAMPLE, LARGE = 5, 15, 512
FINISH_BY_SORTING = 8
SUBTREE = 1 << 14  # points


class Tree(NamedTuple):
    """All leaves are on one level; their sizes differ by at most one.

    :param dims: (inner,) int32, the dimension that a node splits.
    :param splits: (inner,), the coordinate it splits at: left holds ``<=``, right holds ``>=``.
    :param blocks: (leaves, d, capacity), coordinates with the slots of a leaf next to each other, padded with infinity.
    :param ids: (leaves, capacity) int32, the points' indices.
    :param sizes: (leaves,) int32, how many slots are in use.
    """

    dims: np.ndarray
    splits: np.ndarray
    blocks: np.ndarray
    ids: np.ndarray
    sizes: np.ndarray


def build_tree(points: np.ndarray, leaf_size: int, cyclic: bool = False) -> Tree:
    """Build over ``points`` (n, d), n >= 1, with at most ``leaf_size`` points in a leaf."""
    n = len(points)
    levels = 0
    while (n + (1 << levels) - 1) >> levels > leaf_size:
        levels += 1
    return _build(points, levels, cyclic)


def _build(points: np.ndarray, levels: int, cyclic: bool) -> Tree:
    n, d = points.shape
    inner, leaves = (1 << levels) - 1, 1 << levels
    dims, splits = np.zeros(inner, dtype=np.int32), np.zeros(inner, dtype=points.dtype)
    # One row per dimension, so that spreads and gathers run over neighbouring numbers.
    columns = np.array(points.T, order="C")
    ids = np.arange(n, dtype=np.int32)
    here, there = (columns, ids), (np.empty_like(columns), np.empty_like(ids))
    keys, order = np.empty(n, dtype=points.dtype), np.empty(n, dtype=np.uint32)
    top = 0
    while top < levels and n >> top > SUBTREE:
        _split_level(*here, *there, keys, order, top, cyclic, dims, splits)
        here, there = there, here
        top += 1
    _split_subtrees(*here, *there, keys, order, top, levels, cyclic, dims, splits)
    columns, ids = here if (levels - top) % 2 == 0 else there
    capacity = (n + leaves - 1) >> levels
    blocks = np.empty((leaves, d, capacity), dtype=points.dtype)
    leaf_ids, sizes = np.zeros((leaves, capacity), dtype=np.int32), np.empty(leaves, dtype=np.int32)
    _fill_leaves(columns, ids, levels, blocks, leaf_ids, sizes)
    return Tree(dims, splits, blocks, leaf_ids, sizes)


@njit(cache=True, parallel=True)
def _split_level(
    columns: Any, ids: Any, spare: Any, spare_ids: Any, keys: Any, order: Any, level: int, cyclic: bool, dims: Any,
    splits: Any,
) -> None:  # fmt: skip
    for place in prange(1 << level):
        _split(columns, ids, spare, spare_ids, keys, order, level, np.int64(place), cyclic, dims, splits)


@njit(cache=True, parallel=True)
def _split_subtrees(
    columns: Any, ids: Any, spare: Any, spare_ids: Any, keys: Any, order: Any, top: int, levels: int, cyclic: bool,
    dims: Any, splits: Any,
) -> None:  # fmt: skip
    """Finish each subtree by itself, since one that fits in a core's cache stays there."""
    for root in prange(1 << top):
        for level in range(top, levels):
            width = 1 << (level - top)
            first = np.int64(root) * width
            for place in range(first, first + width):
                if (level - top) % 2 == 0:
                    _split(columns, ids, spare, spare_ids, keys, order, level, place, cyclic, dims, splits)
                else:
                    _split(spare, spare_ids, columns, ids, keys, order, level, place, cyclic, dims, splits)


@njit(cache=True, parallel=True)
def _fill_leaves(columns: Any, ids: Any, levels: int, blocks: Any, leaf_ids: Any, sizes: Any) -> None:
    n = len(ids)
    for leaf in prange(len(sizes)):
        low, high = (leaf * n) >> levels, ((leaf + 1) * n) >> levels
        size = high - low
        sizes[leaf] = size
        for slot in range(size):
            leaf_ids[leaf, slot] = ids[low + slot]
        for j in range(len(columns)):
            for slot in range(size):
                blocks[leaf, j, slot] = columns[j, low + slot]
            for slot in range(size, blocks.shape[2]):
                blocks[leaf, j, slot] = np.inf


@njit(cache=True)
def _split(
    columns: Any, ids: Any, spare: Any, spare_ids: Any, keys: Any, order: Any, level: int, place: Any, cyclic: bool,
    dims: Any, splits: Any,
) -> None:  # fmt: skip
    """Choose the plane of one node and write its points, partitioned, to ``spare`` and ``spare_ids``."""
    d, n = columns.shape
    node = (1 << level) - 1 + place
    low, high = (place * n) >> level, ((place + 1) * n) >> level
    middle = ((2 * place + 1) * n) >> (level + 1)
    dim = level % d if cyclic else _widest(columns, low, high)
    for i in range(low, high):
        keys[i] = columns[dim, i]
        order[i] = i
    _select(keys, order, low, high, middle)
    dims[node] = dim
    splits[node] = keys[middle] if middle < high else np.inf
    for i in range(low, high):
        spare_ids[i] = ids[order[i]]
    for j in range(d):
        for i in range(low, high):
            spare[j, i] = columns[j, order[i]]


@njit(cache=True, fastmath={"nnan", "nsz"})
def _widest(columns: Any, low: int, high: int) -> int:
    """The dimension with the largest range among ``columns[:, low:high]``, which holds no NaN."""
    widest, dim = -1.0, 0
    for j in range(len(columns)):
        if high > low:
            least = most = columns[j, low]
            for i in range(low + 1, high):
                value = columns[j, i]
                least = min(least, value)
                most = max(most, value)
            if most - least > widest:
                widest, dim = most - least, j
    return dim


@njit(cache=True)
def _select(keys: Any, order: Any, low: int, high: int, middle: int) -> None:
    """Partition ``keys[low:high]`` and ``order`` alike so that ``keys[middle]`` is in its sorted place."""
    if middle >= high:
        return
    sample = np.empty(LARGE_SAMPLE, dtype=keys.dtype)
    while high - low > FINISH_BY_SORTING:
        size = SMALL_SAMPLE if high - low < LARGE else LARGE_SAMPLE
        step = (high - low) // size
        for s in range(size):
            sample[s] = keys[low + s * step + step // 2]
        _insertion_sort(sample, order, 0, size, False)
        # The sample's own quantile of the target lands near it, so that most rounds end the search.
        pivot = sample[min(size - 1, (middle - low) * size // (high - low))]
        below = low + _partition(keys[low:high], order[low:high], pivot, False)
        if middle < below:
            high = below
        elif below > low:
            low = below
        else:
            low += _partition(keys[low:high], order[low:high], pivot, True)
            if middle < low:
                return
    _insertion_sort(keys, order, low, high, True)


@njit(cache=True)
def _partition(keys: Any, order: Any, pivot: float, inclusive: bool) -> int:
    """Move keys ``< pivot`` (``<=`` if inclusive) to the front and return how many there are.

    No branch depends on a key, and no index has a sign that would have to be tested.
    """
    end = np.uint64(0)
    if inclusive:
        for i in range(np.uint64(len(keys))):
            key, index = keys[i], order[i]
            keys[i], order[i] = keys[end], order[end]
            keys[end], order[end] = key, index
            end += np.uint64(key <= pivot)
    else:
        for i in range(np.uint64(len(keys))):
            key, index = keys[i], order[i]
            keys[i], order[i] = keys[end], order[end]
            keys[end], order[end] = key, index
            end += np.uint64(key < pivot)
    return int(end)


@njit(cache=True)
def _insertion_sort(keys: Any, order: Any, low: int, high: int, carry: bool) -> None:
    for i in range(low + 1, high):
        key, index = keys[i], order[i]
        j = i
        while j > low and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            if carry:
                order[j] = order[j - 1]
            j -= 1
        keys[j] = key
        if carry:
            order[j] = index
