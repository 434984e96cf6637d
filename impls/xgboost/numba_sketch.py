"""Candidates from a streaming weighted quantile sketch for each tree; entries find theirs by binary search."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.xgboost.blocks import Table, unsorted_columns
from impls.building_blocks.xgboost.fitted import Fitted
from impls.building_blocks.xgboost.sketch_model import fit_sketch
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
    table = Table(x_train, values, columns, row_starts, len(y_train))
    return fit_sketch(table, unsorted_columns(table), y_train, model, is_sorted=False)


@implements(SUITE, kind="exact", counters=fit)
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
    blocks = unsorted_columns(table)
    yield None
    fitted = fit_sketch(table, blocks, y_train, model, is_sorted=False)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
