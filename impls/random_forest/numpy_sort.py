"""CART in NumPy: all drawn features of a node are sorted and scored at once (Breiman 2001)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.contract import implements
from suites.random_forest.draws import FEATURES, LEFT, RIGHT, bootstrap_rows, draw, feature_order, tree_key
from suites.random_forest.suite import SUITE

CLOSE = 1e-13
"""Scores this close, relative to the largest, are compared as exact fractions."""


class Split(NamedTuple):
    feature: int
    threshold: float
    left: int


@implements(SUITE, kind="exact", limits={"n_rows": 10_000})
def random_forest(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Iterator[np.ndarray | None]:
    if not np.isfinite(x_train).all():
        raise ValueError("x_train holds a value that is not finite; drop or fill those rows first")
    rows, features = x_train.shape
    labels = np.eye(n_classes, dtype=np.int64)[y_train]
    trees = []
    for number in range(n_trees):
        drawn = bootstrap_rows(seed, number, rows) if bootstrap else np.arange(rows)
        key = tree_key(seed, number, FEATURES)
        subset = sorted(list(feature_order(key, features))[:max_features]) if scope == "per_tree" else None
        weighted = labels * np.bincount(drawn, minlength=rows)[:, None]
        trees.append(_grow(x_train, weighted, max_features, subset, key))
    yield None
    probability = np.zeros((len(x_test), n_classes))
    for splits, counts in trees:
        reached = counts[_leaves_of(splits, x_test)]
        probability += reached / reached.sum(axis=1, keepdims=True)
    yield probability / n_trees
    votes = np.zeros((len(x_test), n_classes))
    for splits, counts in trees:
        votes[np.arange(len(x_test)), counts[_leaves_of(splits, x_test)].argmax(axis=1)] += 1
    yield votes / n_trees


def _grow(
    x: np.ndarray, weighted: np.ndarray, max_features: int, subset: list[int] | None, key: int
) -> tuple[list[Split | None], np.ndarray]:
    """The splits by node, ``None`` for a leaf, and the class counts int64 (nodes, classes)."""
    splits: list[Split | None] = [None]
    counts = [weighted.sum(axis=0)]
    stack = [(0, np.flatnonzero(weighted.any(axis=1)), key)]
    while stack:
        node, rows, node_key = stack.pop()
        if np.count_nonzero(counts[node]) < 2:
            continue
        if subset is not None:
            found = _best_split(x, weighted, rows, subset)
        else:
            order = feature_order(node_key, x.shape[1])
            found = _best_split(x, weighted, rows, sorted(next(order) for _ in range(max_features)))
            while found is None and (later := next(order, None)) is not None:
                found = _best_split(x, weighted, rows, [later])
        if found is None:
            continue
        feature, threshold = found
        splits[node] = Split(feature, threshold, len(splits))
        goes_left = x[rows, feature].astype(np.float64) <= threshold
        for side, way in ((goes_left, LEFT), (~goes_left, RIGHT)):
            stack.append((len(splits), rows[side], draw(node_key, way)))
            counts.append(weighted[rows[side]].sum(axis=0))
            splits.append(None)
    return splits, np.array(counts)


def _best_split(x: np.ndarray, weighted: np.ndarray, rows: np.ndarray, features: list[int]) -> tuple[int, float] | None:
    """Feature and threshold of the largest score; ``features`` in increasing order."""
    values = x[rows][:, features].T
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    running = weighted[rows][order].cumsum(axis=1)
    feature, place = np.nonzero(values[:, :-1] != values[:, 1:])  # in the order in which ties are decided
    if not len(feature):
        return None
    left = running[feature, place]
    right = running[0, -1] - left
    n_left, n_right = left.sum(axis=1), right.sum(axis=1)
    numerator = (left * left).sum(axis=1) * n_right + (right * right).sum(axis=1) * n_left
    denominator = n_left * n_right
    score = numerator / denominator
    best, *others = np.flatnonzero(score >= score.max() * (1 - CLOSE)).tolist()
    for other in others:
        if int(numerator[other]) * int(denominator[best]) > int(numerator[best]) * int(denominator[other]):
            best = other
    pair = values[feature[best], place[best] : place[best] + 2].astype(np.float64)
    return features[feature[best]], float(pair.mean())


def _leaves_of(splits: list[Split | None], x: np.ndarray) -> np.ndarray:
    """The leaf that each row reaches, by splitting the set of rows down the tree."""
    leaf = np.zeros(len(x), dtype=np.int64)
    stack = [(0, np.arange(len(x)))]
    while stack:
        node, rows = stack.pop()
        split = splits[node]
        if split is None:
            leaf[rows] = node
        elif len(rows):
            goes_left = x[rows, split.feature].astype(np.float64) <= split.threshold
            stack += [(split.left, rows[goes_left]), (split.left + 1, rows[~goes_left])]
    return leaf
