"""Fitted classification trees: collecting them, and walking rows down all of them.

Nodes of all trees lie in one array, 16 bytes each. A leaf is its own left child with an infinite threshold, and its
``feature`` is the row of its class frequencies; the first of these rows are the pure ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit, prange

from harness.contract import thread_count

NODE = np.dtype([("feature", np.int32), ("left", np.int32), ("threshold", np.float64)])
ROWS_AT_ONCE = 64


class Tree(NamedTuple):
    """One tree: ``nodes`` (nodes,), ``gain`` float64 (nodes,), class counts of impure leaves int64 (leaves, classes)."""

    nodes: np.ndarray
    gain: np.ndarray
    impure: np.ndarray


class Trees(NamedTuple):
    """All trees: ``first`` int64 (trees + 1,) is where each begins in ``nodes``; ``left`` counts from the first node.

    ``frequencies`` float64 (kinds of leaves, classes) and their ``majority`` int32, the lowest of tied classes.
    """

    first: np.ndarray
    nodes: np.ndarray
    gain: np.ndarray
    frequencies: np.ndarray
    majority: np.ndarray


def grow_all(grow: Callable[[int], Tree], n_trees: int, n_classes: int) -> Trees:
    """Grow trees 0, 1, ... by ``grow``, which must not hold the interpreter's lock, one per thread at a time."""
    if thread_count() == 1:
        return collect([grow(tree) for tree in range(n_trees)], n_classes)
    with ThreadPoolExecutor(thread_count()) as pool:
        return collect(list(pool.map(grow, range(n_trees))), n_classes)


def collect(trees: Sequence[Tree], n_classes: int) -> Trees:
    """Lay trees side by side."""
    sizes = [len(tree.nodes) for tree in trees]
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    counts = np.concatenate([np.eye(n_classes, dtype=np.int64), *[tree.impure for tree in trees]])
    nodes = np.empty(int(first[-1]), dtype=NODE)
    gain = np.empty(len(nodes))
    kinds = n_classes
    for tree, start, size in zip(trees, first, sizes, strict=False):
        own = nodes[start : start + size]
        own[:] = tree.nodes
        gain[start : start + size] = tree.gain
        impure = (own["left"] == np.arange(size)) & (own["feature"] >= n_classes)
        own["feature"][impure] += kinds - n_classes
        own["left"] += start
        kinds += len(tree.impure)
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    return Trees(first, nodes, gain, frequencies, counts.argmax(axis=1).astype(np.int32))


def predict(trees: Trees, x: np.ndarray) -> np.ndarray:
    """Mean class frequencies float64 (rows, classes) of the leaves that ``x`` (rows, features) reaches."""
    probability = np.zeros((len(x), trees.frequencies.shape[1]))
    _walk(trees, x, probability, None, None)
    return probability


def vote(trees: Trees, x: np.ndarray) -> np.ndarray:
    """Shares of votes float64 (rows, classes)."""
    votes = np.zeros((len(x), trees.frequencies.shape[1]))
    _walk(trees, x, None, votes, None)
    return votes


def tree_votes(trees: Trees, x: np.ndarray) -> np.ndarray:
    """The class that each tree votes for, int32 (trees, rows)."""
    chosen = np.empty((len(trees.first) - 1, len(x)), dtype=np.int32)
    _walk(trees, x, None, None, chosen)
    return chosen


@njit(cache=True, parallel=True)
def _walk(
    trees: Trees,
    x: np.ndarray,
    probability: np.ndarray | None,
    votes: np.ndarray | None,
    chosen: np.ndarray | None,
) -> None:
    rows, n_trees = len(x), len(trees.first) - 1
    nodes = trees.nodes
    for block in prange((rows + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE):
        begin, end = block * ROWS_AT_ONCE, min(rows, (block + 1) * ROWS_AT_ONCE)
        place = np.empty(ROWS_AT_ONCE, dtype=np.int32)
        for tree in range(n_trees):
            place[:] = trees.first[tree]
            # All rows take a step in turn, so that the memory is asked for many nodes at once; one in a leaf stays.
            moved = True
            while moved:
                moved = False
                for i in range(begin, end):
                    node = nodes[place[i - begin]]
                    feature = node["feature"] if node["threshold"] < np.inf else 0
                    after = node["left"] + (x[i, feature] > node["threshold"])
                    moved |= after != place[i - begin]
                    place[i - begin] = after
            for i in range(begin, end):
                leaf = nodes[place[i - begin]]["feature"]
                if probability is not None:  # decided when compiled
                    for c in range(trees.frequencies.shape[1]):
                        probability[i, c] += trees.frequencies[leaf, c] / n_trees
                if votes is not None:
                    votes[i, trees.majority[leaf]] += 1.0 / n_trees
                if chosen is not None:
                    chosen[tree, i] = trees.majority[leaf]
