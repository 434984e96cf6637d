"""LightGBM (Ke et al. 2017): second-order gains on histograms, gradients in single precision."""

from __future__ import annotations

from collections.abc import Iterator

import lightgbm
import numpy as np

from harness.contract import implements, thread_count
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE


@implements(
    SUITE,
    library="LightGBM",
    kind="library",
    phases=("prepare", "fit", "predict"),
    limits={
        "order": ("second",),
        "rounds": (1, 2, 3, 5, 10, 20, 50, 100),  # it refuses 0
        "gamma": 0.0,  # it does not look behind a split that does not pay
        "storage": ("dense",),  # what compressed rows do not store is 0 to it, not absent
        # Of a single class it starts from other log-odds than the suite's.
        "data": (
            "higgs_shaped",
            "diabetes",
            "randhie",
            "fair",
            "breast_cancer",
            "levels",
            "constant_feature",
            "repeated_feature",
            "gaps",
        ),
    },
)
def boost(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    model: Model,
) -> Iterator[np.ndarray | None]:
    parameters = {
        "objective": "binary" if model.loss == "logistic" else "regression",
        "boost_from_average": False,
        "learning_rate": model.shrinkage,
        "max_depth": model.max_depth,
        # It always grows leaf by leaf. With room for every leaf of the depth the order no longer matters.
        "num_leaves": 2**model.max_depth,
        "min_data_in_leaf": max(1, model.min_rows),
        "min_sum_hessian_in_leaf": model.min_child_weight,
        "lambda_l2": model.l2,
        "lambda_l1": model.l1,
        "max_bin": model.bins,
        "min_data_in_bin": 1,  # 3 by default: features of few rows per value would lose bins
        "num_threads": thread_count(),
        "verbosity": -1,
    }
    table = lightgbm.Dataset(x_train, y_train, init_score=np.full(len(y_train), model.base), params=parameters)
    table.construct()  # bins, which it would otherwise do on the first use
    yield None
    booster = lightgbm.train(parameters, table, num_boost_round=model.rounds)
    yield None
    scores = booster.predict(x_test, raw_score=True, num_threads=thread_count())
    yield model.base + np.asarray(scores, dtype=np.float64)
