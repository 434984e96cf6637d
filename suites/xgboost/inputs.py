"""Drawing the inputs of second-order boosting: a table in either form, the test rows and the model."""

from __future__ import annotations

import math

import numpy as np

from harness.contract import Inputs
from suites.xgboost.data import MAKERS, REAL, REGRESSION
from suites.xgboost.model import LEAST_CLASS_SHARE, Model

MOST_TEST_ROWS = 50_000


def make_inputs(
    rng: np.random.Generator,
    *,
    data: str,
    n_rows: int = 0,
    storage: str = "dense",
    loss: str = "",
    order: str = "second",
    rounds: int = 10,
    max_depth: int = 6,
    shrinkage: float = 0.1,
    l2: float = 1.0,
    l1: float = 0.0,
    gamma: float = 0.0,
    min_child_weight: float = 1.0,
    min_rows: int = 1,
    bins: int = 255,
    base: float | str = "",
    levels: int = 0,
) -> Inputs:
    """A table split into training and test rows, and the model.

    :param data: a maker of :mod:`suites.xgboost.data`.
    :param n_rows: training rows; 0 for three quarters of a real table.
    :param storage: ``dense`` or ``sparse``, the form of the training rows.
    :param loss: ``squared`` or ``logistic``; by default what the data's target asks for.
    :param base: the raw score to start from; by default the mean of the target, or its log-odds.
    :param levels: round features of more distinct values to this many; 0 leaves them alone.
    """
    loss = loss or ("squared" if data in REGRESSION else "logistic")
    x, y = MAKERS[data](rng, n_rows + test_half(n_rows), loss)
    if levels:
        x = rounded(x, levels)
    n_train = min(n_rows, 3 * len(y) // 4) if data in REAL and n_rows else n_rows or 3 * len(y) // 4
    half = test_half(n_train)
    fresh = x[n_train : n_train + half]
    train, target = np.ascontiguousarray(x[:n_train]), y[:n_train].copy()
    values, columns, row_starts = compress(train if storage == "sparse" else train[:0])
    return {
        "x_train": train[:0].copy() if storage == "sparse" else train,
        "values": values,
        "columns": columns,
        "row_starts": row_starts,
        "y_train": target,
        "x_test": np.concatenate([x[: len(fresh)], fresh]),
        "model": Model(
            loss=loss,
            order=order,
            rounds=rounds,
            max_depth=max_depth,
            shrinkage=shrinkage,
            l2=l2,
            l1=l1,
            gamma=gamma,
            min_child_weight=min_child_weight,
            min_rows=min_rows,
            bins=bins,
            base=float(base) if base != "" else base_score(target, loss),
        ),
    }


def base_score(y: np.ndarray, loss: str) -> float:
    """The mean of ``y``, or its log-odds, kept 1e-12 away from 0 and 1."""
    mean = float(np.mean(y))
    if loss == "squared":
        return mean
    share = min(max(mean, LEAST_CLASS_SHARE), 1.0 - LEAST_CLASS_SHARE)
    return math.log(share / (1.0 - share))


def compress(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The present entries of ``x``: values, columns int32 and row starts int64."""
    present = ~np.isnan(x)
    row_starts = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    return x[present], np.nonzero(present)[1].astype(np.int32), row_starts


def rounded(x: np.ndarray, levels: int) -> np.ndarray:
    """Columns of more than ``levels`` distinct values rounded to as many evenly spaced ones; gaps stay."""
    columns = []
    for column in x.T:
        values = np.unique(column[~np.isnan(column)])
        if len(values) > levels:
            low, high = values[0], values[-1]
            column = low + np.rint((column - low) / (high - low) * (levels - 1))
        columns.append(column)
    return np.stack(columns, axis=1)


def test_half(n_train: int) -> int:
    """How many training rows, and as many fresh ones, are scored after training on ``n_train`` rows."""
    return min(n_train, max(500, min(n_train // 4, MOST_TEST_ROWS)))
