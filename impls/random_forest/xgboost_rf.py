"""XGBoost's XGBRFClassifier: one round of parallel trees on histograms, rows drawn without replacement."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xgboost

from harness.contract import implements, thread_count
from suites.random_forest.suite import SUITE

IN_BAG_SHARE = 0.632
"""The share of rows that a bootstrap sample holds; 0.8 by default."""


@implements(
    SUITE,
    library="XGBoost",
    kind="library",
    phases=("fit", "predict"),
    limits={"data": ("higgs_shaped", "breast_cancer")},  # with more than two classes it grows a tree for each
)
def random_forest(
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    n_classes: int,
    n_trees: int,
    max_features: int,
    scope: str,
    bootstrap: bool,
    seed: int,
) -> Iterator[np.ndarray | None]:
    share = max_features / x_train.shape[1]
    model = xgboost.XGBRFClassifier(
        n_estimators=n_trees,
        tree_method="hist",
        max_depth=0,  # 6 by default
        max_bin=256,
        subsample=IN_BAG_SHARE if bootstrap else 1.0,
        colsample_bynode=share if scope == "per_split" else 1.0,
        colsample_bytree=share if scope == "per_tree" else 1.0,
        reg_lambda=0.0,  # 1e-5 by default
        min_child_weight=0.0,  # 1 by default, which asks for four rows
        base_score=0.5,
        n_jobs=thread_count(),
        random_state=seed,
    )
    model.fit(x_train, y_train)
    yield None
    # From 0.5 on a leaf with a share p of class 1 holds (p - 0.5) / 0.25, and the trees are averaged.
    positive = 0.5 + np.asarray(model.predict(x_test, output_margin=True), dtype=np.float64) / 4
    yield np.stack([1 - positive, positive], axis=1)
