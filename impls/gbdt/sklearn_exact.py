"""scikit-learn's GradientBoostingRegressor and GradientBoostingClassifier: exact search, a sort of every node.

The model of the suite; only the thresholds lie midway between the node's own values, not the training set's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from harness.contract import implements
from suites.gbdt.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    kind="own_thresholds",
    limits={
        "rounds": (5, 10, 20, 50, 100),  # it refuses 0
        "n_rows": 100_000,
        # It refuses a single class, and takes values closer than 1e-7 for the same.
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
    estimator = GradientBoostingClassifier if logistic else GradientBoostingRegressor
    model = estimator(
        n_estimators=rounds,
        learning_rate=shrinkage,
        max_depth=max_depth or None,
        max_leaf_nodes=max_leaves or None,
        min_samples_leaf=min_rows,
        random_state=0,  # only the order in which features of tied gain are tried depends on it
    )
    model.fit(x_train, y_train)
    yield None
    yield model.decision_function(x_test) if logistic else model.predict(x_test)
