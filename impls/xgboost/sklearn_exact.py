"""scikit-learn's gradient boosting: exact search with a sort of every node, first-order splits, Newton leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from harness.contract import implements
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    kind="first_order_library",
    phases=("prepare", "fit", "predict"),
    limits={
        "order": ("second", "newton_leaves"),  # its own is the latter: the yardstick of what Hessians in splits add
        "rounds": (1, 2, 3, 5, 10, 20, 50, 100),  # it refuses 0
        "l1": 0.0,
        "gamma": 0.0,
        "n_rows": 1_000_000,
        "storage": ("dense",),
        # It takes no absent entries and no single class; on the smallest tables its lack of an L2 penalty shows.
        "data": (
            "higgs_shaped",
            "diabetes",
            "randhie",
            "fair",
            "breast_cancer",
            "levels",
            "repeated_feature",
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
    logistic = model.loss == "logistic"
    estimator = GradientBoostingClassifier if logistic else GradientBoostingRegressor
    fitted = estimator(
        n_estimators=model.rounds,
        learning_rate=model.shrinkage,
        max_depth=model.max_depth,
        # It knows rows only: a row weighs 1 under squared loss, at most a quarter under logistic loss. No L2 penalty.
        min_samples_leaf=max(1, model.min_rows, math.ceil(model.min_child_weight * (4 if logistic else 1))),
        random_state=0,  # only the order in which features of tied gain are tried depends on it
    )
    yield None
    fitted.fit(x_train, y_train)
    yield None
    yield fitted.decision_function(x_test) if logistic else fitted.predict(x_test)
