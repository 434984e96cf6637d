"""Fitted classification trees: collecting them, and walking rows down all of them.

Nodes of all trees lie in one array, 16 bytes each, which is all that a step down a tree reads. A leaf is its own left
child with an infinite threshold.
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
"""Rows that go down a tree together, so that many nodes are asked for at once."""
ROWS_PER_PIECE = 4_096
"""Rows that a thread sends down one tree before the next: enough for its nodes to stay in the cache."""


class Tree(NamedTuple):
    """One tree: ``nodes``, ``gain`` float64 and ``kind`` int32, all (nodes,), and the class counts of impure leaves.

    ``kind`` is the class of a pure leaf; impure ones count on from the number of classes, in the order of ``impure``
    int64 (leaves, classes).
    """

    nodes: np.ndarray
    gain: np.ndarray
    kind: np.ndarray
    impure: np.ndarray


class Trees(NamedTuple):
    """All trees: ``first`` int64 (trees + 1,) is where each begins in ``nodes``; ``left`` counts from the first node.

    ``frequencies`` float64 (kinds of leaves, classes) and their ``majority`` int32, the lowest of tied classes.
    """

    first: np.ndarray
    nodes: np.ndarray
    gain: np.ndarray
    kind: np.ndarray
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
    if first[-1] > np.iinfo(np.int32).max:
        raise ValueError(f"{first[-1]} nodes are too many; grow fewer trees")
    nodes, gain, kind = (np.concatenate([getattr(tree, name) for tree in trees]) for name in ("nodes", "gain", "kind"))
    kinds = n_classes
    for tree, start in zip(trees, first, strict=False):
        own = slice(start, start + len(tree.nodes))
        nodes["left"][own] += start
        kind[own][kind[own] >= n_classes] += kinds - n_classes
        kinds += len(tree.impure)
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    return Trees(first, nodes, gain, kind, frequencies, counts.argmax(axis=1).astype(np.int32))


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
    for piece in prange((rows + ROWS_PER_PIECE - 1) // ROWS_PER_PIECE):
        place, active = np.empty(ROWS_AT_ONCE, dtype=np.int32), np.empty(ROWS_AT_ONCE, dtype=np.int32)
        last = min(rows, (piece + 1) * ROWS_PER_PIECE)
        for tree in range(n_trees):
            for begin in range(piece * ROWS_PER_PIECE, last, ROWS_AT_ONCE):
                end = min(last, begin + ROWS_AT_ONCE)
                find_leaves(trees.nodes, trees.first[tree], x[begin:end], place, active)
                for i in range(begin, end):
                    kind = trees.kind[place[i - begin]]
                    if probability is not None:  # decided when compiled
                        for c in range(trees.frequencies.shape[1]):
                            probability[i, c] += trees.frequencies[kind, c] / n_trees
                    if votes is not None:
                        votes[i, trees.majority[kind]] += 1.0 / n_trees
                    if chosen is not None:
                        chosen[tree, i] = trees.majority[kind]


@njit(cache=True)
def find_leaves(nodes: np.ndarray, root: int, x: np.ndarray, place: np.ndarray, active: np.ndarray) -> None:
    """Write the leaf that each of a few rows reaches to ``place``; ``active`` is scratch."""
    count = len(x)
    for i in range(count):
        place[i] = root
        active[i] = i
    while count > 0:
        still = 0
        for k in range(count):
            i = active[k]
            node = nodes[place[i]]
            after = node["left"] + np.int32(x[i, node["feature"]] > node["threshold"])
            active[still] = i
            still += after != place[i]
            place[i] = after
        count = still
