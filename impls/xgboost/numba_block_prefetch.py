"""Exact search over column blocks in Numba, with rows fetched into a buffer in batches (§4.2 of the paper)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.xgboost.block_model import fit_blocks
from impls.building_blocks.xgboost.blocks import Table, column_blocks
from impls.building_blocks.xgboost.fitted import Fitted
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
    return fit_blocks(table, column_blocks(table), y_train, model, prefetch=True)


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
    blocks = column_blocks(table)
    yield None
    fitted = fit_blocks(table, blocks, y_train, model, prefetch=True)
    yield None
    yield fitted.scores(x_test)
    yield fitted.describe()
