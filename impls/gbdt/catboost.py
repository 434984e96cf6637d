"""CatBoost (Prokhorenkova et al. 2018): binned search, first-order gains, Newton leaves."""

from __future__ import annotations

from collections.abc import Iterator

import catboost  # type: ignore[import-not-found, unused-ignore]
import numpy as np

from harness.contract import implements, thread_count
from suites.gbdt.suite import SUITE


@implements(
    SUITE,
    library="CatBoost",
    kind="library",
    limits={
        "rounds": (5, 10, 20, 50, 100),  # it refuses 0
        # It refuses a target of one class and tables in which no feature varies.
        "data": (
            "higgs_shaped",
            "friedman1",
            "diabetes",
            "randhie",
            "fair",
            "levels",
            "two_valued",
            "constant_feature",
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
    model = catboost.CatBoost(
        {
            "loss_function": "Logloss" if loss == "logistic" else "RMSE",
            "iterations": rounds,
            "learning_rate": shrinkage,
            # Its default grows symmetric trees, one condition for a whole level: another model altogether.
            "grow_policy": "Lossguide" if max_leaves else "Depthwise",
            "depth": max_depth or 16,  # 16 is the deepest it allows
            **({"max_leaves": max_leaves} if max_leaves else {}),
            "min_data_in_leaf": min_rows,
            "border_count": bins - 1,  # borders, not bins
            "boosting_type": "Plain",  # ordered boosting fits another model on small tables
            "bootstrap_type": "No",
            "random_strength": 0.0,  # noise on the scores of splits, on by default
            "score_function": "L2",
            "leaf_estimation_method": "Newton",
            "leaf_estimation_iterations": 1,
            "l2_leaf_reg": 0.0,
            "boost_from_average": True,
            "thread_count": thread_count(),
            "allow_writing_files": False,
            "verbose": False,
        }
    )
    model.fit(catboost.Pool(x_train, y_train))
    yield None
    yield np.asarray(model.predict(x_test, prediction_type="RawFormulaVal", thread_count=thread_count()))
