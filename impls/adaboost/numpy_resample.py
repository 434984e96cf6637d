"""NumPy, by resampling: each round draws rows from the weights and fits an unweighted stump to them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.adaboost.rounds import Boosted, Stump, boost, score
from impls.building_blocks.adaboost.sorted_search import best_stump
from suites.adaboost.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"mode": ("resample",)})
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    yield None

    def find_stump(counts: np.ndarray) -> Stump:
        drawn = np.repeat(np.arange(len(counts)), counts)
        columns = np.ascontiguousarray(x_train[drawn].T)
        orders = np.argsort(columns, axis=1)
        return best_stump(orders, np.take_along_axis(columns, orders, axis=1), y_train[drawn], np.ones(len(drawn)))

    boosted = boost(x_train, y_train, rounds, find_stump, draws=seed)
    yield boosted
    yield score(boosted, x_test)
