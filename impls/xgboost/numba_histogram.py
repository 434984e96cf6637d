"""Search on histograms of residuals and Hessians over bins found once (XGBoost's "hist", LightGBM's way), in Numba."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.trees.binning import Bins, bin_codes, find_bins
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.rounds import fit_histogram
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE

FEATURES_SIDE_BY_SIDE = 4


def prepare(x: np.ndarray, model: Model) -> tuple[Bins, np.ndarray]:
    bins = find_bins(x, model.bins)
    return bins, bin_codes(x, bins.cuts, FEATURES_SIDE_BY_SIDE)


def fit(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    model: Model,
) -> Fitted:
    bins, codes = prepare(x_train, model)
    return fit_histogram(codes, bins, y_train, model)


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
    bins, codes = prepare(x_train, model)
    yield None
    fitted = fit_histogram(codes, bins, y_train, model)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
