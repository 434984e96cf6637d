"""Exact search in Numba on columns sorted once; every split partitions all sorted columns stably (SLIQ's idea)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.trees.presorted import presort
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.rounds import fit_presorted
from suites.xgboost.model import Model
from suites.xgboost.suite import SUITE


def fit(
    x_train: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    row_starts: np.ndarray,
    y_train: np.ndarray,
    model: Model,
) -> Fitted:
    return fit_presorted(presort(x_train), y_train, model)


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
    table = presort(x_train)
    yield None
    fitted = fit_presorted(table, y_train, model)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
