"""Second-order boosting in pure Python: sort every feature of every node (Chen and Guestrin 2016, Algorithm 3)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.contract import implements
from suites.xgboost.model import ABSENT, LEAF, MOST_STEPS, STEP, TIE, Model
from suites.xgboost.suite import SUITE

Table = list[list[float]]


class Node(NamedTuple):
    """A place of a tree; a leaf's feature is -1."""

    feature: int
    threshold: float
    gain: float
    cover: float
    weight: float
    default_left: bool


Tree = dict[int, Node]


@implements(
    SUITE,
    arrays="python",
    kind="exact",
    limits={
        "n_rows": 250,
        "rounds": (1, 2, 3, 5, 10, 20, 50),  # a list of no trees has no shape
        "data": (
            "higgs_shaped",
            "one_hot_10",
            "levels",
            "constant_feature",
            "one_class",
            "repeated_feature",
            "gaps",
            "missing_feature",
        ),
    },
)
def boost(
    x_train: Table,
    values: list[float],
    columns: list[int],
    row_starts: list[int],
    y_train: list[float],
    x_test: Table,
    model: Model,
) -> Iterator[object]:
    table = x_train or _expand(values, columns, row_starts, len(x_test[0]))
    features = [list(column) for column in zip(*table, strict=True)]
    distinct = [sorted({value for value in column if not math.isnan(value)}) for column in features]
    yield None
    scores = [model.base] * len(y_train)
    trees: list[Tree] = []
    for _ in range(model.rounds):
        residual, hessian = _derivatives(y_train, scores, model.loss)
        ones = [1.0] * len(hessian)
        split_weights = hessian if model.order == "second" else ones
        tree = _grow(features, distinct, residual, split_weights, model)
        _prune(tree)
        leaves = [_route(tree, row) for row in table]
        _set_weights(tree, leaves, residual, ones if model.order == "first" else hessian, model)
        if model.order == "first":
            factor = _line_search(y_train, scores, [tree[leaf].weight for leaf in leaves], model.loss)
            for place, node in tree.items():
                tree[place] = node._replace(weight=factor * node.weight)
        scores = [score + model.shrinkage * tree[leaf].weight for score, leaf in zip(scores, leaves, strict=True)]
        trees.append(tree)
    yield None
    yield [model.base + math.fsum(model.shrinkage * tree[_route(tree, row)].weight for tree in trees) for row in x_test]
    absent = Node(ABSENT, 0.0, 0.0, 0.0, 0.0, False)
    described = [[tree.get(place, absent) for place in range(model.tree_size)] for tree in trees]
    yield tuple([[getattr(node, name) for node in tree] for tree in described] for name in Node._fields)


def _expand(values: list[float], columns: list[int], row_starts: list[int], features: int) -> Table:
    table = []
    for first, last in pairwise(row_starts):
        row = [math.nan] * features
        for place in range(first, last):
            row[columns[place]] = values[place]
        table.append(row)
    return table


def _derivatives(y: list[float], scores: list[float], loss: str) -> tuple[list[float], list[float]]:
    if loss == "squared":
        return [target - score for target, score in zip(y, scores, strict=True)], [1.0] * len(y)
    p = [1 / (1 + math.exp(-score)) for score in scores]
    return [target - share for target, share in zip(y, p, strict=True)], [share * (1 - share) for share in p]


def _grow(features: Table, distinct: Table, residual: list[float], weight: list[float], model: Model) -> Tree:
    """All splits that gain anything before the cost of a leaf."""
    tree: Tree = {}
    waiting = [(0, list(range(len(residual))))]
    while waiting:
        place, rows = waiting.pop()
        cover = math.fsum(weight[row] for row in rows)
        tree[place] = Node(LEAF, 0.0, 0.0, cover, 0.0, False)
        if 2 * place + 2 >= model.tree_size:
            continue
        split = _best_split(features, rows, residual, weight, model)
        if split is None:
            continue
        gain, feature, value, default_left = split
        column, known = features[feature], distinct[feature]
        after = bisect_right(known, value)
        threshold = value if math.isinf(value) else math.inf if after == len(known) else (value + known[after]) / 2
        tree[place] = Node(feature, threshold, gain - model.gamma, cover, 0.0, default_left)
        goes_left = [default_left if math.isnan(column[row]) else column[row] <= threshold for row in rows]
        for side, wanted in ((2 * place + 1, True), (2 * place + 2, False)):
            waiting.append((side, [row for row, left in zip(rows, goes_left, strict=True) if left == wanted]))
    return tree


def _prune(tree: Tree) -> None:
    """Take back, from below, what does not pay for its leaf."""
    for place in sorted(tree, reverse=True):
        node, children = tree[place], (2 * place + 1, 2 * place + 2)
        if node.feature >= 0 and node.gain < 0 and all(tree[child].feature == LEAF for child in children):
            tree[place] = Node(LEAF, 0.0, 0.0, node.cover, 0.0, False)
            del tree[children[0]], tree[children[1]]


def _best_split(
    features: Table, rows: list[int], residual: list[float], weight: list[float], model: Model
) -> tuple[float, int, float, bool] | None:
    """Gain before the cost of a leaf, feature, largest value on the left (-inf: none) and default side."""
    count, least = len(rows), max(1, model.min_rows)
    g_all, h_all = math.fsum(residual[row] for row in rows), math.fsum(weight[row] for row in rows)
    best, chosen = -math.inf, (-1, 0.0, True)
    for feature, column in enumerate(features):
        order = sorted((row for row in rows if not math.isnan(column[row])), key=column.__getitem__)
        absent = count - len(order)
        g, h = [0.0], [0.0]
        for row in order:
            g.append(g[-1] + residual[row])
            h.append(h[-1] + weight[row])
        g_absent, h_absent = (g_all - g[-1], h_all - h[-1]) if absent else (0.0, 0.0)
        for left in range(len(order) + 1):
            if 0 < left < len(order) and column[order[left - 1]] == column[order[left]]:
                continue
            for default_left in (True, False)[: 2 if absent else 1]:
                rows_left = left + absent * default_left
                g_left, h_left = g[left] + g_absent * default_left, h[left] + h_absent * default_left
                if min(rows_left, count - rows_left) < least or min(h_left, h_all - h_left) < model.least_weight:
                    continue
                score = _score(g_left, h_left, model) + _score(g_all - g_left, h_all - h_left, model)
                if score > best + TIE * abs(best) or best == -math.inf:
                    best, chosen = score, (feature, column[order[left - 1]] if left else -math.inf, default_left)
    gain = best - _score(g_all, h_all, model)
    if not gain > TIE * best:
        return None
    return (gain / 2, *chosen)


def _score(g: float, h: float, model: Model) -> float:
    shrunk = max(abs(g) - model.l1, 0.0)
    return shrunk * shrunk / (h + model.l2) if h + model.l2 > 0 else 0.0


def _set_weights(tree: Tree, leaves: list[int], residual: list[float], weight: list[float], model: Model) -> None:
    inside: dict[int, list[int]] = {}
    for row, leaf in enumerate(leaves):
        inside.setdefault(leaf, []).append(row)
    for leaf, rows in inside.items():
        g = math.fsum(residual[row] for row in rows)
        below = math.fsum(weight[row] for row in rows) + model.l2
        shrunk = math.copysign(max(abs(g) - model.l1, 0.0), g)
        tree[leaf] = tree[leaf]._replace(weight=shrunk / below if below > 0 else 0.0)


def _line_search(y: list[float], scores: list[float], steps: list[float], loss: str) -> float:
    """Newton's method on the factor of ``steps``, kept between factors of known signs of the slope."""
    low, high, factor = 0.0, math.inf, 0.0
    for _ in range(MOST_STEPS):
        moved_scores = [score + factor * step for score, step in zip(scores, steps, strict=True)]
        residual, hessian = _derivatives(y, moved_scores, loss)
        slope = -math.fsum(r * step for r, step in zip(residual, steps, strict=True))
        curvature = math.fsum(h * step * step for h, step in zip(hessian, steps, strict=True))
        low, high = (low, factor) if slope > 0 else (factor, high)
        if not curvature > 0:
            break
        proposal = factor - slope / curvature
        if not low <= proposal <= high:
            proposal = (low + high) / 2 if math.isfinite(high) else low
        moved, factor = abs(proposal - factor), proposal
        if moved <= STEP * max(1.0, abs(factor)):
            break
    return factor


def _route(tree: Tree, row: Sequence[float]) -> int:
    place = 0
    while (node := tree[place]).feature >= 0:
        value = row[node.feature]
        left = node.default_left if math.isnan(value) else value <= node.threshold
        place = 2 * place + (1 if left else 2)
    return place
