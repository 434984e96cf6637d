"""NumPy: every feature is sorted once, a round gathers the weights in that order and sums them up."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from harness.contract import implements
from impls.building_blocks.adaboost.rounds import Boosted, boost, score
from impls.building_blocks.adaboost.sorted_search import best_stump
from suites.adaboost.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"mode": ("reweight",)})
def adaboost(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Iterator[Boosted | np.ndarray | None]:
    columns = np.ascontiguousarray(x_train.T)
    orders = np.argsort(columns, axis=1)
    values = np.take_along_axis(columns, orders, axis=1)
    yield None
    boosted = boost(x_train, y_train, rounds, partial(best_stump, orders, values, y_train))
    yield boosted
    yield score(boosted, x_test)
