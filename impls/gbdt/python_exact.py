"""Exact search in pure Python: sort every feature of every node (Friedman 2001, Algorithms 3 and 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.contract import implements
from suites.gbdt.suite import LEAST_CLASS_SHARE, LEAST_HESSIAN, SUITE, TIE

Table = list[list[float]]
Tree = dict[int, tuple[int, float, int] | float]
"""By node: feature, threshold and left child, the right one coming next; or a leaf's value."""


@implements(
    SUITE,
    arrays="python",
    kind="exact",
    limits={
        "n_rows": 1_000,
        "data": (
            "higgs_shaped",
            "levels",
            "two_valued",
            "constant_feature",
            "constant_features",
            "one_class",
            "adjacent_floats",
            "repeated_feature",
        ),
    },
)
def gbdt(
    x_train: Table,
    y_train: list[float],
    x_test: Table,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Iterator[list[float] | None]:
    base = math.fsum(y_train) / len(y_train)
    if loss == "logistic":
        share = min(max(base, LEAST_CLASS_SHARE), 1 - LEAST_CLASS_SHARE)
        base = math.log(share / (1 - share))
    scores = [base] * len(y_train)
    trees = []
    columns = [list(column) for column in zip(*x_train, strict=True)]
    for _ in range(rounds):
        p = [1 / (1 + math.exp(-score)) for score in scores] if loss == "logistic" else scores
        residual = [target - guess for target, guess in zip(y_train, p, strict=True)]
        hessian = [guess * (1 - guess) for guess in p] if loss == "logistic" else [1.0] * len(p)
        tree, leaves = _grow(columns, residual, hessian, max_depth, max_leaves, min_rows)
        for rows, value in leaves:
            for row in rows:
                scores[row] += shrinkage * value
        trees.append(tree)
    yield None
    yield [base + math.fsum(shrinkage * _predict(tree, features) for tree in trees) for features in x_test]


def _grow(
    columns: Table, residual: list[float], hessian: list[float], max_depth: int, max_leaves: int, min_rows: int
) -> tuple[Tree, list[tuple[list[int], float]]]:
    """Split the node of the largest gain, of tied ones the oldest, until nothing can be split."""
    tree: Tree = {}
    nodes = [(list(range(len(residual))), 0)]
    waiting: dict[int, tuple[float, int, float]] = {}
    fresh = [0]
    while True:
        for node in fresh:
            rows, depth = nodes[node]
            split = None if max_depth and depth >= max_depth else _best_split(columns, residual, rows, min_rows)
            if split is not None:
                waiting[node] = split
        if not waiting or (max_leaves and len(tree) + 1 >= max_leaves):
            break
        largest = max(gain for gain, _, _ in waiting.values())
        node = next(node for node in sorted(waiting) if waiting[node][0] >= largest * (1 - TIE))
        _, feature, threshold = waiting.pop(node)
        rows, depth = nodes[node]
        tree[node] = feature, threshold, len(nodes)
        fresh = [len(nodes), len(nodes) + 1]
        nodes.append(([row for row in rows if columns[feature][row] <= threshold], depth + 1))
        nodes.append(([row for row in rows if columns[feature][row] > threshold], depth + 1))
    leaves = []
    for node, (rows, _) in enumerate(nodes):
        if node not in tree:
            weight = math.fsum(hessian[row] for row in rows)
            value = math.fsum(residual[row] for row in rows) / max(weight, LEAST_HESSIAN)
            tree[node] = value
            leaves.append((rows, value))
    return tree, leaves


def _best_split(
    columns: Table, residual: list[float], rows: list[int], min_rows: int
) -> tuple[float, int, float] | None:
    count = len(rows)
    if count < 2 * min_rows:
        return None
    total = math.fsum(residual[row] for row in rows)
    best, chosen = 0.0, (-1, 0.0)
    for feature, column in enumerate(columns):
        order = sorted(rows, key=column.__getitem__)
        left = math.fsum(residual[row] for row in order[: min_rows - 1])
        for left_rows in range(min_rows, count - min_rows + 1):
            row = order[left_rows - 1]
            left += residual[row]
            if column[row] == column[order[left_rows]]:
                continue
            score = left * left / left_rows + (total - left) ** 2 / (count - left_rows)
            if score > best * (1 + TIE):
                best, chosen = score, (feature, column[row])
    gain = best - total * total / count
    if chosen[0] < 0 or gain <= TIE * best:
        return None
    feature, value = chosen
    return gain, feature, (value + min(other for other in columns[feature] if other > value)) / 2


def _predict(tree: Tree, features: list[float]) -> float:
    entry = tree[0]
    while isinstance(entry, tuple):
        feature, threshold, left = entry
        entry = tree[left if features[feature] <= threshold else left + 1]
    return entry
