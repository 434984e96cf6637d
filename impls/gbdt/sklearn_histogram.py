"""scikit-learn's HistGradientBoostingRegressor and HistGradientBoostingClassifier: binned search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from harness.contract import implements
from suites.gbdt.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    kind="library",
    limits={
        "rounds": (5, 10, 20, 50, 100),  # it refuses 0
        # It refuses a single class.
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
    estimator = HistGradientBoostingClassifier if logistic else HistGradientBoostingRegressor
    model = estimator(
        max_iter=rounds,
        learning_rate=shrinkage,
        max_depth=max_depth or None,
        max_leaf_nodes=max_leaves or None,  # its default of 31 would cut a tree of depth 6 short
        min_samples_leaf=min_rows,
        max_bins=min(bins, 255),  # the 256th is for missing values
        early_stopping=False,  # by default on above 10,000 rows, with a tenth of them held out
    )
    model.fit(x_train, y_train)
    yield None
    yield model.decision_function(x_test) if logistic else model.predict(x_test)
