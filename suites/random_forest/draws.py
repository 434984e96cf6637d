"""The random draws of a forest, defined so that every implementation can make the same ones.

A draw is a function of a 64-bit key and a counter (splitmix64, Steele et al. 2014, Figure 14), so that trees and nodes
can be grown in any order. A tree has a key for its rows and one for its features; a node's key follows from its
parent's, which makes it a function of (seed, tree, path from the root).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
FIRST_FACTOR, SECOND_FACTOR = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
ROWS, FEATURES = 0, 1
"""Which of a tree's two keys."""
LEFT, RIGHT, FIRST_SWAP = 0, 1, 2
"""Counters of a node's key: the keys of its children, then the swaps of its permutation."""


def draw(key: int, counter: int) -> int:
    """64 random bits."""
    z = (key + (counter + 1) * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * FIRST_FACTOR) & MASK
    z = ((z ^ (z >> 27)) * SECOND_FACTOR) & MASK
    return z ^ (z >> 31)


def below(bits: int, bound: int) -> int:
    """A number in 0..bound-1 from 64 random bits; ``bound`` is at most 2^32."""
    return ((bits >> 32) * bound) >> 32


def tree_key(seed: int, tree: int, which: int) -> int:
    """The key for the rows of a tree, or of its root for features."""
    return draw(draw(draw(seed, 0), tree), which)


def bootstrap_rows(seed: int, tree: int, rows: int) -> np.ndarray:
    """Row numbers int64 (rows,) drawn with replacement."""
    key = np.uint64(tree_key(seed, tree, ROWS))
    with np.errstate(over="ignore"):
        z = key + np.arange(1, rows + 1, dtype=np.uint64) * np.uint64(GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(FIRST_FACTOR)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(SECOND_FACTOR)
    z ^= z >> np.uint64(31)
    return (((z >> np.uint64(32)) * np.uint64(rows)) >> np.uint64(32)).astype(np.int64)


def feature_order(key: int, features: int) -> Iterator[int]:
    """A random permutation of 0..features-1, one element at a time (Fisher and Yates, Durstenfeld's form)."""
    order = list(range(features))
    for i in range(features):
        j = i + below(draw(key, FIRST_SWAP + i), features - i)
        order[i], order[j] = order[j], order[i]
        yield order[i]
