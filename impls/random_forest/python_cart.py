"""CART in pure Python: every feature of a draw is sorted in every node (Breiman 2001; CART, Breiman et al. 1984)."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from harness.contract import implements
from suites.random_forest.draws import FEATURES, LEFT, RIGHT, bootstrap_rows, draw, feature_order, tree_key
from suites.random_forest.suite import SUITE

Table = list[list[float]]
Tree = list[tuple[int, float, int] | list[int]]
"""By node: feature, threshold and left child, the right one coming next; or the class counts of a leaf."""


@implements(SUITE, arrays="python", kind="exact", limits={"n_rows": 1_000})
def random_forest(
    x_train: Table,
    y_train: list[int],
    x_test: Table,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Iterator[Table | None]:
    if not all(isfinite(value) for row in x_train for value in row):
        raise ValueError("x_train holds a value that is not finite; drop or fill those rows first")
    columns = [list(column) for column in zip(*x_train, strict=True)]
    rows, trees = len(y_train), []
    for number in range(n_trees):
        drawn = bootstrap_rows(seed, number, rows).tolist() if bootstrap else list(range(rows))
        key = tree_key(seed, number, FEATURES)
        subset = list(feature_order(key, len(columns)))[:max_features] if scope == "per_tree" else None
        trees.append(_grow(columns, y_train, drawn, n_classes, max_features, subset, key))
    yield None
    probability = []
    for row in x_test:
        leaves = [_find_leaf(tree, row) for tree in trees]
        shares = [[count / sum(leaf) for count in leaf] for leaf in leaves]
        probability.append([sum(column) / n_trees for column in zip(*shares, strict=True)])
    yield probability
    votes = []
    for row in x_test:
        won = [0] * n_classes
        for tree in trees:
            leaf = _find_leaf(tree, row)
            won[leaf.index(max(leaf))] += 1
        votes.append([count / n_trees for count in won])
    yield votes


def _grow(
    columns: Table,
    y: list[int],
    drawn: list[int],
    n_classes: int,
    max_features: int,
    subset: list[int] | None,
    key: int,
) -> Tree:
    tree: Tree = [[]]
    stack = [(0, drawn, key)]
    while stack:
        node, rows, node_key = stack.pop()
        counts = [0] * n_classes
        for row in rows:
            counts[y[row]] += 1
        split = None
        if max(counts) < len(rows):
            split = _best_split(columns, y, rows, counts, max_features, subset, node_key)
        if split is None:
            tree[node] = counts
            continue
        feature, threshold = split
        tree[node] = feature, threshold, len(tree)
        column = columns[feature]
        stack.append((len(tree), [row for row in rows if column[row] <= threshold], draw(node_key, LEFT)))
        stack.append((len(tree) + 1, [row for row in rows if column[row] > threshold], draw(node_key, RIGHT)))
        tree += [[], []]
    return tree


def _best_split(
    columns: Table,
    y: list[int],
    rows: list[int],
    counts: list[int],
    max_features: int,
    subset: list[int] | None,
    key: int,
) -> tuple[int, float] | None:
    """Feature and threshold of the largest score, which is a fraction and compared as one."""
    total = len(rows)
    best, best_denominator, chosen = -1, 1, (len(columns), 0.0)
    for position, feature in enumerate(feature_order(key, len(columns)) if subset is None else subset):
        if position >= max_features and best >= 0:
            break
        column = columns[feature]
        order = sorted(rows, key=column.__getitem__)
        left, right = [0] * len(counts), counts.copy()
        left_squares, right_squares = 0, sum(count * count for count in counts)
        for size in range(1, total):
            row = order[size - 1]
            label = y[row]
            left_squares += 2 * left[label] + 1
            right_squares -= 2 * right[label] - 1
            left[label] += 1
            right[label] -= 1
            value, after = column[row], column[order[size]]
            if value == after:
                continue
            score, denominator = left_squares * (total - size) + right_squares * size, size * (total - size)
            ahead = score * best_denominator - best * denominator
            if ahead > 0 or (ahead == 0 and feature < chosen[0]):
                best, best_denominator, chosen = score, denominator, (feature, (value + after) / 2)
    return chosen if best >= 0 else None


def _find_leaf(tree: Tree, features: list[float]) -> list[int]:
    entry = tree[0]
    while isinstance(entry, tuple):
        feature, threshold, left = entry
        entry = tree[left if features[feature] <= threshold else left + 1]
    return entry
