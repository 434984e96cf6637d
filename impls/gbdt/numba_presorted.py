"""Exact search in Numba on features sorted once (SLIQ, Mehta et al. 1996; XGBoost, Chen and Guestrin 2016, §4.1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.gbdt.fitted import Fitted
from impls.building_blocks.gbdt.losses import base_score
from impls.building_blocks.gbdt.rounds import fit_presorted
from impls.building_blocks.trees.presorted import presort
from suites.gbdt.suite import SUITE


def fit(
    x_train: np.ndarray,
    y_train: np.ndarray,
    loss: str,
    rounds: int,
    max_depth: int,
    max_leaves: int,
    shrinkage: float,
    bins: int,
    min_rows: int,
) -> Fitted:
    """The fitted trees, with what was counted while growing them."""
    base = base_score(y_train, loss)
    table = presort(x_train)
    forest = fit_presorted(table, y_train, base, loss, rounds, max_depth, max_leaves, shrinkage, min_rows)
    return Fitted(forest, base, x_train, y_train, loss, max_depth, shrinkage, min_rows)


@implements(SUITE, kind="exact", counters=fit)
def gbdt(
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
) -> Iterator[np.ndarray | None]:
    fitted = fit(x_train, y_train, loss, rounds, max_depth, max_leaves, shrinkage, bins, min_rows)
    yield None
    yield fitted.scores(x_test)
