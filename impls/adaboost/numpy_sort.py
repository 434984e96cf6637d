"""NumPy: every feature is sorted again in every round, a cumulative sum then scores all its thresholds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.adaboost.rounds import Boosted, Stump, boost, score
from impls.building_blocks.adaboost.sorted_search import best_stump
from suites.adaboost.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"mode": ("reweight",)})
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    yield None
    columns = np.ascontiguousarray(x_train.T)

    def find_stump(weights: np.ndarray) -> Stump:
        orders = np.argsort(columns, axis=1)
        return best_stump(orders, np.take_along_axis(columns, orders, axis=1), y_train, weights)

    boosted = boost(x_train, y_train, rounds, find_stump)
    yield boosted
    yield score(boosted, x_test)
