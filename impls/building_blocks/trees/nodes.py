"""Nodes of a tree under growth, for compiled code: which may split, on what, and in which order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.trees.arrays import Forest
from impls.building_blocks.trees.gain import NO_SPLIT, TIE

NODE = np.dtype(
    [
        ("start", np.int64),
        ("stop", np.int64),
        ("slot", np.int64),
        ("depth", np.int64),
        ("left", np.int64),
        ("feature", np.int64),
        ("bin", np.int64),
        ("gain", np.float64),
    ]
)
"""Place of the rows in the order of rows, slot of the histogram (-1: none), and the best split (gain 0: none)."""
FOUND = np.dtype([("score", np.float64), ("gain", np.float64), ("bin", np.int64)])
"""The best split of one feature in one node; ``bin`` is its bin, or where in the node's sorted rows it lies."""


class Growth(NamedTuple):
    """How trees grow; ``max_depth`` 0 sets no limit, ``most_leaves`` is a limit in any case."""

    max_depth: int
    most_leaves: int
    best_first: bool
    min_rows: int


@njit(cache=True)
def may_split(nodes: np.ndarray, node: int, growth: Growth) -> bool:
    deep = growth.max_depth > 0 and nodes[node]["depth"] >= growth.max_depth
    return not deep and nodes[node]["stop"] - nodes[node]["start"] >= 2 * growth.min_rows


@njit(cache=True)
def choose_split(nodes: np.ndarray, found: np.ndarray, node: int) -> None:
    """Give ``node`` the best split found, of the lowest feature where scores are tied, if it gains anything."""
    best = NO_SPLIT
    for f in range(found.shape[1]):
        best = max(best, found[node, f]["score"])
    if best == NO_SPLIT:
        return
    f = 0
    while found[node, f]["score"] < best * (1 - TIE):
        f += 1
    if found[node, f]["gain"] > TIE * best:
        nodes[node]["gain"] = found[node, f]["gain"]
        nodes[node]["feature"], nodes[node]["bin"] = f, found[node, f]["bin"]


@njit(cache=True)
def take_largest_gain(nodes: np.ndarray, waiting: np.ndarray, n_waiting: int) -> int:
    """Remove the waiting node of the largest gain, the oldest where gains are tied."""
    largest = 0.0
    for k in range(n_waiting):
        largest = max(largest, nodes[waiting[k]]["gain"])
    k = 0
    while nodes[waiting[k]]["gain"] < largest * (1 - TIE):
        k += 1
    node: int = waiting[k]
    for later in range(k, n_waiting - 1):
        waiting[later] = waiting[later + 1]
    return node


@njit(cache=True)
def record_split(nodes: np.ndarray, node: int, left: int, threshold: float, forest: Forest, t: int) -> None:
    """Write the split of ``node`` into tree ``t`` and create its children, ``left`` and the next."""
    forest.feature[t, node], forest.threshold[t, node], forest.left[t, node] = nodes[node]["feature"], threshold, left
    forest.gain[t, node] = nodes[node]["gain"]
    nodes[node]["left"] = left
    depth = nodes[node]["depth"] + 1
    forest.depths[t] = max(forest.depths[t], depth)
    for child in (left, left + 1):
        nodes[child]["depth"], nodes[child]["slot"], nodes[child]["gain"] = depth, -1, 0.0


@njit(cache=True)
def is_left_smaller(nodes: np.ndarray, left: int) -> bool:
    """Whether the left child has no more rows than the right one, which comes next."""
    left_rows = nodes[left]["stop"] - nodes[left]["start"]
    smaller: bool = left_rows <= nodes[left + 1]["stop"] - nodes[left + 1]["start"]
    return smaller
