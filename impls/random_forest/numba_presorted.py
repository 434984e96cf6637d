"""Exact search in Numba on features sorted once, partitioned down the tree in place (SLIQ, Mehta et al. 1996)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.random_forest.fitting import Fitted, check_table, keys_of
from impls.building_blocks.random_forest.forest import Tree, grow_all, predict, vote
from impls.building_blocks.random_forest.presorted import columns_of, grow
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
    check_table(x_train)
    ordered = presort(x_train)
    table = columns_of(np.ascontiguousarray(x_train.T), ordered.order, ordered.values)

    def grow_tree(number: int) -> Tree:
        tree: Tree = grow(
            table, y_train, n_classes, max_features, scope == "per_tree", bootstrap, *keys_of(seed, number)
        )
        return tree

    return Fitted(grow_all(grow_tree, n_trees, n_classes), n_classes, len(x_train), seed)


@implements(SUITE, kind="exact", counters=fit)
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
