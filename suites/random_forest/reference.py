"""A forest of fully grown CART trees by the definition: rows repeated as drawn, scores compared as exact fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from suites.random_forest.draws import FEATURES, LEFT, RIGHT, bootstrap_rows, draw, feature_order, tree_key

FeatureOrder = Callable[[int], Iterator[int]]
"""From a node's key to its permutation of the features."""


class Node(NamedTuple):
    """A split (``left`` and ``right`` are nodes) or a leaf (both ``None``) with the counts of its rows' classes."""

    counts: np.ndarray
    feature: int = -1
    threshold: float = np.inf
    gain: float = 0.0
    left: Node | None = None
    right: Node | None = None


def reference(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Mapping[str, np.ndarray]:
    """Class frequencies of the leaves reached and shares of votes, both float64 (rows of x_test, classes)."""
    rows, features = x_train.shape
    probability, votes = np.zeros((2, len(x_test), n_classes))
    for tree in range(n_trees):
        drawn = bootstrap_rows(seed, tree, rows) if bootstrap else np.arange(rows)
        root_key = tree_key(seed, tree, FEATURES)
        root = grow(
            x_train[drawn],
            y_train[drawn],
            n_classes,
            max_features,
            scope,
            root_key,
            lambda k: feature_order(k, features),
        )
        for i, leaf in enumerate(leaves_of(root, x_test)):
            probability[i] += leaf.counts / leaf.counts.sum()
            votes[i, np.argmax(leaf.counts)] += 1
    return {"probability": probability / n_trees, "votes": votes / n_trees}


def grow(
    x: np.ndarray, y: np.ndarray, n_classes: int, max_features: int, scope: str, root_key: int, order: FeatureOrder
) -> Node:
    """One tree on rows ``x`` (rows, features), ``y``, repeated ones included.

    ``order`` is given the root's key for a subset per tree, each node's own for a subset per split.
    """
    subset = sorted(list(order(root_key))[:max_features]) if scope == "per_tree" else None
    counts = np.bincount(y, minlength=n_classes)
    if np.count_nonzero(counts) < 2:
        return Node(counts)
    candidates = subset if subset is not None else _drawn(x, max_features, order(root_key))
    best: tuple[int, int, int, float] | None = None
    for feature in sorted(candidates):
        for numerator, denominator, threshold in _best_splits(x[:, feature], y, n_classes):
            if best is None or numerator * best[1] > best[0] * denominator:
                best = numerator, denominator, feature, threshold
    if best is None:
        return Node(counts)
    numerator, denominator, feature, threshold = best
    left = x[:, feature] <= threshold
    score = numerator / denominator
    gain = score / len(y) - float((counts**2).sum()) / len(y) ** 2
    again: FeatureOrder = (lambda _: iter(subset)) if subset is not None else order
    children = [
        grow(x[side], y[side], n_classes, max_features, scope, draw(root_key, way), again)
        for side, way in ((left, LEFT), (~left, RIGHT))
    ]
    return Node(counts, feature, threshold, gain, *children)


def _drawn(x: np.ndarray, max_features: int, order: Iterator[int]) -> list[int]:
    """Those of the first ``max_features`` of the permutation that vary; if none does, the first later one."""
    varying: list[int] = []
    for position, feature in enumerate(order):
        if position >= max_features and varying:
            break
        if np.ptp(x[:, feature]) > 0:
            varying.append(feature)
    return varying


def _best_splits(column: np.ndarray, y: np.ndarray, n_classes: int) -> Iterator[tuple[int, int, float]]:
    """Scores as exact fractions, with their thresholds, of those splits that rounding cannot tell from the best one."""
    order = np.argsort(column, kind="stable")
    values = column[order].astype(np.float64)
    places = np.flatnonzero(values[:-1] != values[1:])
    if not len(places):
        return
    below = np.cumsum(np.eye(n_classes, dtype=np.int64)[y[order]], axis=0)
    left, right = below[places], below[-1] - below[places]
    n_left = places + 1
    n_right = len(y) - n_left
    numerators = (left**2).sum(axis=1) * n_right + (right**2).sum(axis=1) * n_left
    scores = numerators / (n_left * n_right)
    for i in np.flatnonzero(scores >= scores.max() * (1 - 1e-9)):
        place = places[i]
        threshold = float((values[place] + values[place + 1]) / 2)
        yield int(numerators[i]), int(n_left[i]) * int(n_right[i]), threshold


def leaves_of(root: Node, x: np.ndarray) -> list[Node]:
    """The leaf that each row of ``x`` reaches."""
    found = []
    for row in x:
        node = root
        while node.left is not None and node.right is not None:
            node = node.left if row[node.feature] <= node.threshold else node.right
        found.append(node)
    return found
