"""Fitting a forest: checks of the input, keys of the trees, and what stays for the suite's probes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from impls.building_blocks.random_forest.draws import row_weights
from impls.building_blocks.random_forest.forest import Trees, tree_votes
from impls.building_blocks.random_forest.gini import MOST_ROWS
from impls.building_blocks.random_forest.regression import RegressionTree, values_of
from suites.random_forest.draws import FEATURES, ROWS, tree_key


def check_table(x: np.ndarray) -> None:
    """:raises ValueError: a value is not finite, or counts of so many rows could not be compared exactly."""
    if not np.isfinite(x).all():
        raise ValueError("x_train holds a value that is not finite; drop or fill those rows first")
    if len(x) > MOST_ROWS:
        raise ValueError(f"x_train has {len(x)} rows; scores are exact up to {MOST_ROWS}")


def keys_of(seed: int, tree: int) -> tuple[np.uint64, np.uint64]:
    """A tree's keys for draws of rows and of features."""
    return np.uint64(tree_key(seed, tree, ROWS)), np.uint64(tree_key(seed, tree, FEATURES))


@dataclass(frozen=True)
class Fitted:
    """A forest with what its claims count.

    :param trees: the trees, as arrays.
    :param n_classes: classes of the target.
    :param n_rows: rows it was trained on.
    :param seed: that the rows of each tree were drawn by.
    """

    trees: Trees
    n_classes: int
    n_rows: int
    seed: int

    def tree_votes(self, x: np.ndarray) -> np.ndarray:
        """The class that each tree votes for, int32 (trees, rows of ``x``)."""
        return tree_votes(self.trees, x)

    def out_of_bag(self) -> np.ndarray:
        """Whether a tree did not draw a training row, bool (trees, training rows)."""
        keys = (keys_of(self.seed, tree)[0] for tree in range(len(self.trees.first) - 1))
        return np.stack([row_weights(key, self.n_rows) == 0 for key in keys])


@dataclass(frozen=True)
class FittedRegression:
    """Regression trees, for the claim about the variance of their mean."""

    trees: tuple[RegressionTree, ...]

    def tree_values(self, x: np.ndarray) -> np.ndarray:
        """What each tree says, float64 (trees, rows of ``x``)."""
        return np.stack([values_of(tree, x) for tree in self.trees])
