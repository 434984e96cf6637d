"""Exact search in Numba with a sort of every feature in every node: the presorted search without its idea."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.xgboost.blocks import Table
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.node_sorting import fit_sorting
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
    return fit_sorting(Table(x_train, values, columns, row_starts, len(y_train)), y_train, model)


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
    table = Table(x_train, values, columns, row_starts, len(y_train))
    yield None
    fitted = fit_sorting(table, y_train, model)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
