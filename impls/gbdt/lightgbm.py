"""LightGBM (Ke et al. 2017): binned search; second-order gains under logistic loss, gradients in single precision."""

from __future__ import annotations

from collections.abc import Iterator

import lightgbm
import numpy as np

from harness.contract import implements, thread_count
from suites.gbdt.suite import SUITE

MOST_LEAVES = 131_072


@implements(
    SUITE,
    library="LightGBM",
    kind="library",
    limits={
        "rounds": (5, 10, 20, 50, 100),  # it refuses 0
        # Of a single class it starts from other log-odds than the suite's.
        "data": (
            "higgs_shaped",
            "friedman1",
            "diabetes",
            "randhie",
            "fair",
            "levels",
            "two_valued",
            "constant_feature",
            "constant_features",
            "adjacent_floats",
            "repeated_feature",
        ),
    },
)
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
    parameters = {
        "objective": "binary" if loss == "logistic" else "regression",
        "learning_rate": shrinkage,
        "max_depth": max_depth or -1,
        # It always grows leaf by leaf. With room for every leaf of the depth the order no longer matters.
        "num_leaves": max_leaves or min(MOST_LEAVES, 2**max_depth),
        "min_data_in_leaf": min_rows,
        "min_sum_hessian_in_leaf": 0.0,  # the suite only asks for rows
        "max_bin": bins,
        "min_data_in_bin": 1,  # 3 by default: features of few rows per value would lose bins
        "num_threads": thread_count(),
        "verbosity": -1,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x_train, y_train), num_boost_round=rounds)
    yield None
    yield np.asarray(booster.predict(x_test, raw_score=True, num_threads=thread_count()))
