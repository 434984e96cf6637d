"""XGBoost's exact search on sorted columns (Chen and Guestrin 2016, Algorithm 1).

Its gains are second-order, which under logistic loss makes other trees than first-order ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xgboost

from harness.contract import implements, thread_count
from suites.gbdt.suite import SUITE


@implements(
    SUITE,
    library="XGBoost",
    kind="library",
    limits={
        "max_leaves": 0,  # its exact search grows depth-wise only
        # The log-odds of a single class are infinite.
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
    logistic = loss == "logistic"
    parameters = {
        "tree_method": "exact",
        "objective": "binary:logistic" if logistic else "reg:squarederror",
        "base_score": float(y_train.mean()),  # as a probability under logistic loss
        "eta": shrinkage,
        "max_depth": max_depth,
        "lambda": 0.0,  # 1 by default: it would shrink the leaves
        # A sum of Hessians: rows under squared loss; at most a quarter of the rows under logistic loss.
        "min_child_weight": min_rows / 4 if logistic else min_rows,
        "nthread": thread_count(),
    }
    booster = xgboost.train(parameters, xgboost.DMatrix(x_train, y_train), num_boost_round=rounds)
    yield None
    yield booster.inplace_predict(x_test, predict_type="margin").astype(np.float64)
