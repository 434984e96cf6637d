"""XGBoost with candidates from a weighted quantile sketch, proposed anew for each tree (tree_method "approx")."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xgboost

from harness.contract import implements
from impls.building_blocks.xgboost.library import parameters, training_table
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE


@implements(
    SUITE,
    library="XGBoost",
    kind="library",
    phases=("prepare", "fit", "predict"),
    # It knows second order only, and no least number of rows.
    limits={
        "order": ("second",),
        "min_rows": 1,
        # Of a single class it starts from other log-odds than the suite's.
        "data": (
            "higgs_shaped",
            "gaussian_10",
            "diabetes",
            "randhie",
            "fair",
            "breast_cancer",
            "fair_one_hot",
            "modechoice_one_hot",
            "one_hot_10",
            "one_hot_100",
            "one_hot_1000",
            "levels",
            "constant_feature",
            "repeated_feature",
            "gaps",
            "missing_feature",
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
    table = training_table(x_train, values, columns, row_starts, y_train, x_test.shape[1])
    yield None
    booster = xgboost.train(
        {"tree_method": "approx", "max_bin": model.bins, **parameters(model)}, table, num_boost_round=model.rounds
    )
    yield None
    yield booster.inplace_predict(x_test, predict_type="margin").astype(np.float64)
