"""Numba on features sorted once: a round is one scan of running sums, four features side by side, and no search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.adaboost.compiled import boost_reweighted
from impls.building_blocks.adaboost.rounds import Boosted
from impls.building_blocks.adaboost.scan import mark, score
from impls.building_blocks.trees.presorted import presort
from suites.adaboost.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"mode": ("reweight",)})
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    columns = mark(*presort(x_train))
    yield None
    boosted = boost_reweighted(columns, y_train, rounds)
    yield boosted
    yield score(*boosted[:4], x_test)
