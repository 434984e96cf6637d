"""Exact search in Numba on features sorted once, partitioned down the tree in place (SLIQ, Mehta et al. 1996)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.random_forest.fitting import Fitted, FittedRegression, check_table, keys_of
from impls.building_blocks.random_forest.forest import Tree, grow_all, predict, vote
from impls.building_blocks.random_forest.presorted import Columns, columns_of, grow
from impls.building_blocks.random_forest.regression import grow_regression
from impls.building_blocks.trees.presorted import presort
from suites.random_forest.suite import SUITE


def fit(
    x_train: np.ndarray,
    y_train: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Fitted:
    """The fitted trees, for prediction and for the suite's probes."""
    table = _sorted_columns(x_train)

    def grow_tree(number: int) -> Tree:
        tree: Tree = grow(
            table, y_train, n_classes, max_features, scope == "per_tree", bootstrap, *keys_of(seed, number)
        )
        return tree

    return Fitted(grow_all(grow_tree, n_trees, n_classes), n_classes, len(x_train), seed)


def count(
    x_train: np.ndarray,
    y_train: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Fitted | FittedRegression:
    """The fitted trees; with ``n_classes`` 0 they are regression trees on numbers ``y_train``."""
    if n_classes:
        return fit(x_train, y_train, n_classes, n_trees, max_features, scope, bootstrap, seed)
    table = _sorted_columns(x_train)
    keys = (keys_of(seed, number) for number in range(n_trees))
    return FittedRegression(tuple(grow_regression(table, y_train, max_features, *pair) for pair in keys))


def _sorted_columns(x: np.ndarray) -> Columns:
    check_table(x)
    ordered = presort(x)
    columns: Columns = columns_of(np.ascontiguousarray(x.T), ordered.order, ordered.values)
    return columns


@implements(SUITE, kind="exact", counters=count)
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
    fitted = fit(x_train, y_train, n_classes, n_trees, max_features, scope, bootstrap, seed)
    yield None
    yield predict(fitted.trees, x_test)
    yield vote(fitted.trees, x_test)
