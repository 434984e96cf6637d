"""Exact greedy boosting in float64: the oracle. Columns are sorted once and every node keeps its rows in their order.

Ties are decided by ``TIE``: candidates whose scores differ by less than this share are the same split up to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

TIE = 1e-10
"""Scores closer than this relative to the larger one are tied; a gain below this share of the score is none."""
LEAST_HESSIAN = 1e-16
"""Lower bound of the denominator of a Newton leaf."""
LEAST_CLASS_SHARE = 1e-12
"""The mean of a binary target is kept this far from 0 and 1 before its log-odds are taken."""


class Node(NamedTuple):
    """A leaf under growth.

    ``order`` and ``ranks`` are (features, rows): the node's rows in the order of each feature, and the ranks of their
    values among the distinct values of the training set. ``queries`` are the rows of ``x_test`` that fall into it.
    """

    order: np.ndarray
    ranks: np.ndarray
    queries: np.ndarray
    depth: int


class Split(NamedTuple):
    gain: float
    feature: int
    rank: int


class Limits(NamedTuple):
    """What trees may be: depth and leaves (0 for no limit), rows and weight of both sides of a split."""

    depth: int
    leaves: int
    rows: int
    weight: float


def reference(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Mapping[str, np.ndarray]:
    """Raw scores of ``x_test``, float64 (rows of x_test,). ``bins`` does not matter: the search is exact."""
    scores = boost(x_train, y_train, x_test, loss, rounds, max_depth, max_leaves, shrinkage, min_rows)
    return {"test_scores": scores}


def boost(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    min_rows: int,
    second_order: bool = False,
    least_weight: float = 0.0,
) -> np.ndarray:
    """Raw scores of ``x_test``, float64 (rows of x_test,).

    ``second_order`` weighs rows by their Hessians in the gains (Chen and Guestrin 2016, equation 7), as libraries do;
    both sides of a split weigh at least ``least_weight``, as XGBoost has it in place of ``min_rows``.
    """
    rows = len(y_train)
    order = np.argsort(x_train, axis=0, kind="stable").T
    values = [np.unique(column) for column in x_train.T]
    ranks = np.stack([np.searchsorted(v, column) for v, column in zip(values, x_train.T, strict=True)])
    root = Node(order, np.take_along_axis(ranks, order, axis=1).astype(np.int32), np.arange(len(x_test)), 0)
    base = _base_score(y_train, loss)
    train, test = np.full(rows, base), np.full(len(x_test), base)
    for _ in range(rounds):
        probability = 1.0 / (1.0 + np.exp(-train)) if loss == "logistic" else train
        residual = y_train - probability
        hessian = probability * (1.0 - probability) if loss == "logistic" else np.ones(rows)
        limits = Limits(max_depth, max_leaves, min_rows, least_weight)
        weight = np.maximum(hessian, LEAST_HESSIAN) if second_order else np.ones(rows)
        for leaf in _grow(root, ranks, values, x_test, residual, weight, limits):
            inside = leaf.order[0]
            value = residual[inside].sum() / max(hessian[inside].sum(), LEAST_HESSIAN)
            train[inside] += shrinkage * value
            test[leaf.queries] += shrinkage * value
    return test


def _base_score(y: np.ndarray, loss: str) -> float:
    mean = float(np.mean(y))
    if loss == "squared":
        return mean
    share = min(max(mean, LEAST_CLASS_SHARE), 1.0 - LEAST_CLASS_SHARE)
    return float(np.log(share / (1.0 - share)))


def _grow(
    root: Node,
    ranks: np.ndarray,
    values: list[np.ndarray],
    x_test: np.ndarray,
    residual: np.ndarray,
    weight: np.ndarray,
    limits: Limits,
) -> list[Node]:
    """The leaves of one tree: the open node of the largest gain is split first, the older one where gains are tied."""
    done: list[Node] = []
    open_nodes: list[tuple[Node, Split]] = []

    def place(node: Node) -> None:
        deep = limits.depth and node.depth >= limits.depth
        split = None if deep or node.order.shape[1] < 2 * limits.rows else _best_split(node, residual, weight, limits)
        if split is None:
            done.append(node)
        else:
            open_nodes.append((node, split))

    place(root)
    while open_nodes and (not limits.leaves or len(done) + len(open_nodes) < limits.leaves):
        largest = max(split.gain for _, split in open_nodes)
        chosen = next(i for i, (_, split) in enumerate(open_nodes) if split.gain >= largest * (1 - TIE))
        for child in _children(*open_nodes.pop(chosen), ranks, values, x_test):
            place(child)
    return done + [node for node, _ in open_nodes]


def _best_split(node: Node, residual: np.ndarray, weight: np.ndarray, limits: Limits) -> Split | None:
    rows, min_rows = node.order.shape[1], limits.rows
    prefix, weights = (np.cumsum(addend[node.order], axis=1) for addend in (residual, weight))
    total, all_weight = prefix[:, -1:], weights[:, -1:]
    window = slice(min_rows - 1, rows - min_rows)
    left, left_weight = prefix[:, window], weights[:, window]
    score = left * left / left_weight + (total - left) ** 2 / (all_weight - left_weight)
    apart = node.ranks[:, window] != node.ranks[:, min_rows : rows - min_rows + 1]
    heavy = np.minimum(left_weight, all_weight - left_weight) >= limits.weight
    score[~(apart & heavy)] = -np.inf
    best = float(score.max())
    if best == -np.inf:
        return None
    gain = best - float(total[0, 0]) ** 2 / float(all_weight[0, 0])
    if not gain > TIE * best:
        return None
    feature, position = divmod(int(np.argmax(score >= best * (1 - TIE))), score.shape[1])
    return Split(gain, feature, int(node.ranks[feature, position + min_rows - 1]))


def _children(
    node: Node, split: Split, ranks: np.ndarray, values: list[np.ndarray], x_test: np.ndarray
) -> tuple[Node, Node]:
    """Both sides of a split, whose threshold lies midway to the next value of the whole training set."""
    features = len(node.order)
    left = ranks[split.feature] <= split.rank
    distinct = values[split.feature]
    threshold = (distinct[split.rank] + distinct[split.rank + 1]) / 2
    query_left = x_test[node.queries, split.feature] <= threshold
    sides = []
    for train_side, query_side in ((left, query_left), (~left, ~query_left)):
        keep = train_side[node.order]
        order, rank = (array[keep].reshape(features, -1) for array in (node.order, node.ranks))
        sides.append(Node(order, rank, node.queries[query_side], node.depth + 1))
    return sides[0], sides[1]
