"""Search on histograms of residuals and Hessians over bins found once (XGBoost's "hist", LightGBM's way), in Numba."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.trees.binning import bin_codes, find_bins
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.rounds import fit_histogram
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE


FEATURES_SIDE_BY_SIDE = 4


def fit(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    model: Model,
) -> Fitted:
    found = find_bins(x_train, model.bins)
    return fit_histogram(bin_codes(x_train, found.cuts, FEATURES_SIDE_BY_SIDE), found, y_train, model)


@implements(
    SUITE,
    kind="exact",
    counters=fit,
    # Every entry must be there.
    limits={
        "storage": ("dense",),
        "data": (
            "higgs_shaped",
            "gaussian_10",
            "diabetes",
            "randhie",
            "fair",
            "breast_cancer",
            "levels",
            "constant_feature",
            "one_class",
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
) -> Iterator[object]:
    fitted = fit(x_train, values, columns, row_starts, y_train, model)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
