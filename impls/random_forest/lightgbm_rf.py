"""LightGBM in its mode ``rf``: trees on histograms that are averaged, rows drawn without replacement, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator

import lightgbm
import numpy as np

from harness.contract import implements, thread_count
from suites.random_forest.suite import SUITE

IN_BAG_SHARE = 0.632
"""The share of rows that a bootstrap sample holds."""
MOST_LEAVES = 131_072


@implements(
    SUITE,
    library="LightGBM",
    kind="library",
    phases=("fit", "predict"),
    limits={
        "bootstrap": (True,),  # it refuses a forest whose trees see all rows
        "data": ("higgs_shaped", "breast_cancer"),  # with more than two classes it grows a tree for each
    },
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
    parameters = {
        "objective": "binary",
        "boosting": "rf",
        "bagging_freq": 1,
        "bagging_fraction": IN_BAG_SHARE,
        "feature_fraction_bynode": share if scope == "per_split" else 1.0,
        "feature_fraction": share if scope == "per_tree" else 1.0,
        "num_leaves": min(MOST_LEAVES, max(2, len(y_train))),  # 31 by default
        "min_data_in_leaf": 1,  # 20 by default
        "min_sum_hessian_in_leaf": 0.0,
        "min_data_in_bin": 1,
        "boost_from_average": False,
        "seed": seed,
        "num_threads": thread_count(),
        "verbosity": -1,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x_train, y_train), num_boost_round=n_trees)
    yield None
    # From 0.5 on a leaf with a share p of class 1 holds (p - 0.5) / 0.25; raw scores are the trees' sum.
    raw = np.asarray(booster.predict(x_test, raw_score=True, num_threads=thread_count()))
    positive = 0.5 + raw / (4 * n_trees)
    yield np.stack([1 - positive, positive], axis=1)
