"""Numba, by resampling: rows that were drawn are counted, so that features sorted once serve every sample."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.adaboost.compiled import boost_resampled
from impls.building_blocks.adaboost.rounds import Boosted
from impls.building_blocks.adaboost.scan import mark, score
from impls.building_blocks.trees.presorted import presort
from suites.adaboost.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"mode": ("resample",)})
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    columns = mark(*presort(x_train))
    yield None
    boosted = boost_resampled(columns, y_train, rounds, seed)
    yield boosted
    yield score(*boosted[:4], x_test)
