"""Gradient boosting with stumps on the tree core: features are sorted once, every member is one compiled scan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.gbdt.rounds import fit_presorted
from impls.building_blocks.trees.arrays import score
from impls.building_blocks.trees.presorted import presort
from suites.ensembles.suite import SHRINKAGE, SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    kind="exact",
    limits={"method": ("gradient_boosting",), "members": ("regression_stump",)},
)
def ensemble(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    method: str,
    members: str,
    classes: int,
    seeds: np.ndarray,
    bootstraps: np.ndarray,
    folds: np.ndarray,
) -> Iterator[np.ndarray]:
    base = float(y_train.mean())
    forest = fit_presorted(presort(x_train), y_train, base, "squared", len(seeds), 1, 0, SHRINKAGE, 1)
    yield np.zeros((0, 0))
    yield score(forest, x_test, base, SHRINKAGE)[:, None]
