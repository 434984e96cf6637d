"""Exact greedy boosting of second order in float64: the oracle (XGBoost, Chen and Guestrin 2016, eq. 5 to 7, Alg. 3).

Every node keeps its rows in the order of each feature, absent entries last. Both default directions of every
candidate are scored from prefix sums; of tied ones the first in the order (feature, threshold, left before right) wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from suites.xgboost.model import ABSENT, LEAF, MOST_STEPS, STEP, TIE, Model


class Node(NamedTuple):
    """``order`` and ``ranks`` are (features, rows of the node): row numbers in the order of each feature, and the ranks
    of their values among the feature's distinct ones, an absent entry having the largest rank of all.
    """

    order: np.ndarray
    ranks: np.ndarray


class Split(NamedTuple):
    gain: float
    feature: int
    rank: int
    default_left: bool


class Table(NamedTuple):
    """Training values by (row, feature), their ranks by (feature, row), and each feature's distinct values."""

    x: np.ndarray
    ranks: np.ndarray
    values: list[np.ndarray]


def reference(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    model: Model,
) -> Mapping[str, np.ndarray]:
    """Raw scores of ``x_test``, and the trees, see :mod:`suites.xgboost.suite`."""
    x = x_train if len(x_train) == len(y_train) else expand(values, columns, row_starts, x_test.shape[1])
    table = _sort(x)
    order = np.argsort(table.ranks, axis=1, kind="stable")
    root = Node(order, np.take_along_axis(table.ranks, order, axis=1))
    shape = (model.rounds, model.tree_size)
    trees = {
        "feature": np.full(shape, ABSENT, dtype=np.int64),
        "threshold": np.zeros(shape),
        "gain": np.zeros(shape),
        "cover": np.zeros(shape),
        "weight": np.zeros(shape),
        "default_left": np.zeros(shape, dtype=np.int64),
    }
    train, test = np.full(len(y_train), model.base), np.full(len(x_test), model.base)
    for t in range(model.rounds):
        residual, hessian = derivatives(y_train, train, model.loss)
        tree = {name: array[t] for name, array in trees.items()}
        unit = np.ones_like(hessian)
        split_weights = hessian if model.order == "second" else unit
        _grow(root, table, residual, split_weights, model, tree)
        leaf_weights = unit if model.order == "first" else hessian
        _set_leaves(tree, route(tree, x, model.max_depth), residual, leaf_weights, model)
        steps = tree["weight"][route(tree, x, model.max_depth)]
        if model.order == "first":
            tree["weight"] *= line_search(y_train, train, steps, model.loss)
            steps = tree["weight"][route(tree, x, model.max_depth)]
        train += model.shrinkage * steps
        test += model.shrinkage * tree["weight"][route(tree, x_test, model.max_depth)]
    return {"test_scores": test, **trees}


def expand(values: np.ndarray, columns: np.ndarray, row_starts: np.ndarray, features: int) -> np.ndarray:
    """Compressed rows as a dense table, NaN where there is no entry."""
    x = np.full((len(row_starts) - 1, features), np.nan)
    x[np.repeat(np.arange(len(x)), np.diff(row_starts)), columns] = values
    return x


def derivatives(y: np.ndarray, scores: np.ndarray, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """The negative gradient and the Hessian of each row."""
    if loss == "squared":
        return y - scores, np.ones_like(scores)
    p = 1.0 / (1.0 + np.exp(-scores))
    return y - p, p * (1.0 - p)


def route(tree: Mapping[str, np.ndarray], x: np.ndarray, max_depth: int) -> np.ndarray:
    """The leaf of every row of ``x``."""
    nodes = np.zeros(len(x), dtype=np.int64)
    rows = np.arange(len(x))
    for _ in range(max_depth):
        feature = tree["feature"][nodes]
        value = x[rows, np.maximum(feature, 0)]
        left = np.where(np.isnan(value), tree["default_left"][nodes] == 1, value <= tree["threshold"][nodes])
        nodes = np.where(feature >= 0, 2 * nodes + 2 - left, nodes)
    return nodes


def line_search(y: np.ndarray, scores: np.ndarray, steps: np.ndarray, loss: str) -> float:
    """The factor that minimises the loss along ``steps``: Newton's method, kept between known signs of the slope."""
    low, high, factor = 0.0, np.inf, 0.0
    for _ in range(MOST_STEPS):
        residual, hessian = derivatives(y, scores + factor * steps, loss)
        slope, curvature = -float(residual @ steps), float(hessian @ (steps * steps))
        if slope > 0:
            high = factor
        else:
            low = factor
        if not curvature > 0:
            break
        proposal = factor - slope / curvature
        if not low <= proposal <= high:
            proposal = (low + high) / 2 if np.isfinite(high) else low
        moved, factor = abs(proposal - factor), proposal
        if moved <= STEP * max(1.0, abs(factor)):
            break
    return factor


def _sort(x: np.ndarray) -> Table:
    ranks, values = [], []
    for column in x.T:
        distinct = np.unique(column[~np.isnan(column)])
        ranks.append(np.where(np.isnan(column), len(distinct), np.searchsorted(distinct, column)))
        values.append(distinct)
    return Table(x, np.stack(ranks).astype(np.int64), values)


def _grow(
    root: Node, table: Table, residual: np.ndarray, weight: np.ndarray, model: Model, tree: Mapping[str, np.ndarray]
) -> None:
    """Split level by level, then take back, from below, splits that do not pay for their leaf."""
    level = {0: root}
    for _ in range(model.max_depth + 1):
        deeper: dict[int, Node] = {}
        for place, node in level.items():
            tree["feature"][place] = LEAF
            tree["cover"][place] = weight[node.order[0]].sum()
            shallow = 2 * place + 2 < model.tree_size
            split = _best_split(node, table, residual, weight, model) if shallow else None
            if split is None:
                continue
            tree["feature"][place], tree["gain"][place] = split.feature, split.gain - model.gamma
            tree["threshold"][place] = _threshold(table.values[split.feature], split.rank)
            tree["default_left"][place] = split.default_left
            left = table.ranks[split.feature] <= split.rank
            left |= (table.ranks[split.feature] == len(table.values[split.feature])) & split.default_left
            for side, goes in ((2 * place + 1, left), (2 * place + 2, ~left)):
                keep = goes[node.order]
                order, ranks = (array[keep].reshape(len(node.order), -1) for array in node)
                deeper[side] = Node(order, ranks)
        level = deeper
    for place in range(model.tree_size // 2 - 1, -1, -1):
        children = [2 * place + 1, 2 * place + 2]
        pays = tree["gain"][place] >= 0
        if tree["feature"][place] >= 0 and not pays and all(tree["feature"][child] == LEAF for child in children):
            tree["feature"][place] = LEAF
            for name in ("gain", "threshold", "default_left"):
                tree[name][place] = 0
            tree["feature"][children], tree["cover"][children] = ABSENT, 0.0


def _threshold(values: np.ndarray, rank: int) -> float:
    if rank < 0:
        return -np.inf
    return float((values[rank] + values[rank + 1]) / 2) if rank + 1 < len(values) else np.inf


def _best_split(node: Node, table: Table, residual: np.ndarray, weight: np.ndarray, model: Model) -> Split | None:
    features, rows = node.order.shape
    least = max(1, model.min_rows)
    present = np.sum(node.ranks < np.array([[len(v)] for v in table.values]), axis=1)[:, None]
    sums = [np.pad(np.cumsum(a[node.order], axis=1), ((0, 0), (1, 0))) for a in (residual, weight)]
    totals = [prefix[:, -1:] for prefix in sums]
    missing = [total - np.take_along_axis(prefix, present, axis=1) for total, prefix in zip(totals, sums, strict=True)]
    place = np.arange(rows + 1)[None, :]
    after = np.pad(node.ranks, ((0, 0), (0, 1)), constant_values=-2)
    before = np.pad(node.ranks, ((0, 0), (1, 0)), constant_values=-1)
    apart = (place <= present) & (before != after)
    directions = 1 if np.all(present == rows) else 2  # without absent entries both are one
    score = np.full((features, rows + 1, directions), -np.inf)
    for direction, absent in ((0, 1), (1, 0))[:directions]:
        left_rows = place + absent * (rows - present)
        g, h = (prefix + absent * lost for prefix, lost in zip(sums, missing, strict=True))
        allowed = apart & (left_rows >= least) & (rows - left_rows >= least)
        allowed &= (h >= model.least_weight) & (totals[1] - h >= model.least_weight)
        both = _score(g, h, model) + _score(totals[0] - g, totals[1] - h, model)
        score[..., direction] = np.where(allowed, both, -np.inf)
    best = float(score.max())
    own = float(_score(totals[0][0, 0], totals[1][0, 0], model))
    if not best - own > TIE * best:
        return None
    first = int(np.argmax(score >= best * (1 - TIE)))
    feature, position, direction = (int(place) for place in np.unravel_index(first, score.shape))
    rank = int(node.ranks[feature, position - 1]) if position else -1
    return Split((best - own) / 2, feature, rank, direction == 0)


def _score(g: np.ndarray, h: np.ndarray, model: Model) -> np.ndarray:
    """T(G)^2 / (H + lambda) with T the soft threshold of ``l1``; 0 where the denominator is not positive."""
    shrunk = np.maximum(np.abs(g) - model.l1, 0.0)
    below = h + model.l2
    return np.asarray(np.divide(shrunk * shrunk, below, out=np.zeros(np.shape(below)), where=below > 0))


def _set_leaves(
    tree: Mapping[str, np.ndarray], leaf: np.ndarray, residual: np.ndarray, weight: np.ndarray, model: Model
) -> None:
    for place in np.flatnonzero(tree["feature"] == LEAF):
        inside = leaf == place
        g, below = float(residual[inside].sum()), float(weight[inside].sum()) + model.l2
        shrunk = np.sign(g) * max(abs(g) - model.l1, 0.0)
        tree["weight"][place] = shrunk / below if below > 0 else 0.0
