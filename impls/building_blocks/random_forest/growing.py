"""A tree under growth, depth first, for compiled code: open nodes on a stack, finished ones in arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from impls.building_blocks.random_forest.draws import draw
from impls.building_blocks.random_forest.forest import NODE, Tree
from suites.random_forest.draws import LEFT, RIGHT

OPEN = np.dtype([("node", np.int64), ("start", np.int64), ("stop", np.int64), ("key", np.uint64), ("sorted", np.bool_)])
"""A node to be split: its number, the place of its rows, its key for draws, whether its rows lie in every order."""


class Growing(NamedTuple):
    """Room for one tree. ``sizes`` int64 (3,) counts nodes, open nodes and impure leaves, ``impure`` holds counts."""

    nodes: np.ndarray
    gain: np.ndarray
    kind: np.ndarray
    impure: np.ndarray
    stack: np.ndarray
    sizes: np.ndarray


@njit(cache=True)
def empty_tree(rows: int, n_classes: int) -> Growing:
    """Room for a tree on ``rows`` distinct rows, with its root."""
    sizes = np.zeros(3, dtype=np.int64)
    sizes[0] = 1
    return Growing(
        np.empty(2 * rows, dtype=NODE),
        np.empty(2 * rows),
        np.empty(2 * rows, dtype=np.int32),
        np.empty((rows // 2 + 1, n_classes), dtype=np.int64),
        np.empty(rows + 1, dtype=OPEN),
        sizes,
    )


@njit(cache=True)
def place(tree: Growing, node: int, start: int, stop: int, key: np.uint64, presorted: bool, counts: np.ndarray) -> None:
    """Make ``node`` a leaf if its class ``counts`` are pure, else put it on the stack."""
    classes = 0
    for c in range(len(counts)):
        classes += counts[c] > 0
    if classes < 2:
        set_leaf(tree, node, counts)
        return
    entry = tree.stack[tree.sizes[1]]
    entry["node"], entry["start"], entry["stop"], entry["key"], entry["sorted"] = node, start, stop, key, presorted
    tree.sizes[1] += 1


@njit(cache=True)
def set_leaf(tree: Growing, node: int, counts: np.ndarray) -> None:
    """Make ``node`` a leaf; only impure ones need class counts of their own."""
    classes, kind = 0, 0
    for c in range(len(counts)):
        if counts[c] > 0:
            classes, kind = classes + 1, c
    if classes > 1:
        kind = len(counts) + tree.sizes[2]
        for c in range(len(counts)):  # an assignment of arrays takes Numba two seconds more to compile
            tree.impure[tree.sizes[2], c] = counts[c]
        tree.sizes[2] += 1
    leaf = tree.nodes[node]
    leaf["feature"], leaf["left"], leaf["threshold"] = 0, node, np.inf
    tree.gain[node] = 0.0
    tree.kind[node] = kind


@njit(cache=True)
def split_node(
    tree: Growing,
    node: int,
    feature: int,
    threshold: float,
    gain: float,
    start: int,
    middle: int,
    stop: int,
    key: np.uint64,
    presorted: bool,
    left_counts: np.ndarray,
    right_counts: np.ndarray,
) -> None:
    """Record the split of ``node`` and place its children, whose rows meet at ``middle``."""
    left = tree.sizes[0]
    tree.sizes[0] += 2
    parent = tree.nodes[node]
    parent["feature"], parent["left"], parent["threshold"] = feature, left, threshold
    tree.gain[node] = gain
    tree.kind[node] = -1
    place(tree, left, start, middle, draw(key, LEFT), presorted, left_counts)
    place(tree, left + 1, middle, stop, draw(key, RIGHT), presorted, right_counts)


@njit(cache=True)
def finished(tree: Growing) -> Tree:
    """The tree without the room that it did not need."""
    size, impure = tree.sizes[0], tree.sizes[2]
    return Tree(tree.nodes[:size].copy(), tree.gain[:size].copy(), tree.kind[:size].copy(), tree.impure[:impure].copy())
