"""Search on 256 bins in Numba, one tree per thread (histograms: SPRINT, Shafer et al. 1996; LightGBM, Ke et al. 2017).

Siblings cannot be subtracted from their parents, since every node draws other features.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.random_forest.fitting import Fitted, check_table, keys_of
from impls.building_blocks.random_forest.forest import Tree, grow_all, predict, vote
from impls.building_blocks.random_forest.histogram import Binned, grow, value_ranges
from impls.building_blocks.trees.binning import STRIDE, bin_codes, find_bins
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
    codes = bin_codes(x_train, find_bins(x_train, STRIDE).cuts, x_train.shape[1])[0]
    table = Binned(codes, *value_ranges(x_train, codes))

    def grow_tree(number: int) -> Tree:
        tree: Tree = grow(
            table, y_train, n_classes, max_features, scope == "per_tree", bootstrap, *keys_of(seed, number)
        )
        return tree

    return Fitted(grow_all(grow_tree, n_trees, n_classes), n_classes, len(x_train), seed)


@implements(SUITE, kind="histogram", counters=fit)
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
