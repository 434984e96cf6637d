"""Gradient-boosted regression trees: exact against binned split search (Friedman 2001; LightGBM, Ke et al. 2017).

Round t fits a regression tree to the residuals r = y - F (squared loss) or y - p (logistic loss) and adds shrinkage
times its leaves to F. What all implementations share:

- F starts at the mean of y, or at the log-odds of the mean, which is kept 1e-12 away from 0 and 1.
- A split of a node with sum G over n rows gains G_L^2/n_L + G_R^2/n_R - G^2/n, the first-order gain under either loss.
  Both sides have at least ``min_rows`` rows. The sum of the first two terms is the split's score.
- Candidates are "value <= midpoint of two neighbouring distinct values of the training set". Scores closer than 1e-10
  of the larger are tied: the lowest feature wins, then the lowest threshold. A gain below 1e-10 of the score is none.
- A leaf holds G/n under squared loss and the Newton step G / max(sum of p(1-p), 1e-16) under logistic loss.
- Growth is depth-wise down to ``max_depth``. With ``max_leaves`` > 0 the leaf of the largest gain is split first (the
  older of two tied ones, of two siblings the left one), until there are that many; ``max_depth`` still holds, 0 sets
  no limit.
- Binned search knows of each feature at most ``bins`` values: all midpoints where there are no more distinct values
  than bins, else the midpoints above the quantiles k/bins (k = 1 .. bins-1) of the training values, repeated ones
  dropped. Thresholds are kept as raw values, so that prediction needs no bins.

``x_test`` begins with copies of the first training rows, as many as the fresh rows that follow: with those a library
can be judged that puts its thresholds elsewhere between the same two training values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Case, Inputs, Output, Suite, Tolerance, Work, grid
from suites.gbdt.claims import CLAIMS
from suites.gbdt.data import MAKERS, REAL, REGRESSION
from suites.gbdt.judging import measure_errors
from suites.gbdt.probes import PROBES
from suites.gbdt.reference import LEAST_CLASS_SHARE, LEAST_HESSIAN, TIE, reference

__all__ = ["LEAST_CLASS_SHARE", "LEAST_HESSIAN", "SUITE", "TIE"]

LARGEST_CHECKED_ROWS = 4_000
"""The reference takes under half a second for ten rounds of this many rows."""
CHECKED_LEVELS = 200
AWKWARD = tuple(name for name in MAKERS if name not in (*REAL, "higgs_shaped", "friedman1"))
"""Data of edge cases, which are checked as they are."""


def make_inputs(
    rng: np.random.Generator,
    *,
    data: str,
    n_rows: int = 0,
    loss: str = "",
    rounds: int = 10,
    max_depth: int = 6,
    max_leaves: int = 0,
    shrinkage: float = 0.1,
    bins: int = 255,
    min_rows: int = 20,
    levels: int = 0,
) -> Inputs:
    """A table split into training and test rows, and the settings of the model.

    :param data: a maker of :mod:`suites.gbdt.data`.
    :param n_rows: training rows; 0 for three quarters of a real table.
    :param loss: ``squared`` or ``logistic``; by default what the data's target asks for.
    :param levels: round features of more distinct values to this many; 0 leaves them alone.
    """
    loss = loss or ("squared" if data in REGRESSION else "logistic")
    x, y = MAKERS[data](rng, n_rows + test_half(n_rows), loss)
    if levels:
        x = rounded(x, levels)
    n_train = min(n_rows, 3 * len(y) // 4) if data in REAL and n_rows else n_rows or 3 * len(y) // 4
    half = test_half(n_train)
    fresh = x[n_train : n_train + half]
    if data in ("levels", "adjacent_floats"):
        fresh[::8] += rng.choice([-100.0, 100.0], size=fresh[::8].shape)
    return {
        "x_train": np.ascontiguousarray(x[:n_train]),
        "y_train": y[:n_train].copy(),
        "x_test": np.concatenate([x[: len(fresh)], fresh]),
        "loss": loss,
        "rounds": rounds,
        "max_depth": max_depth,
        "max_leaves": max_leaves,
        "shrinkage": shrinkage,
        "bins": bins,
        "min_rows": min_rows,
    }


def rounded(x: np.ndarray, levels: int) -> np.ndarray:
    """Columns of more than ``levels`` distinct values rounded to as many evenly spaced ones."""
    columns = []
    for column in x.T:
        low, high = column.min(), column.max()
        many = len(np.unique(column)) > levels
        columns.append(low + np.rint((column - low) / (high - low) * (levels - 1)) if many else column)
    return np.stack(columns, axis=1)


def test_half(n_train: int) -> int:
    """How many training rows, and as many fresh ones, are scored after training on ``n_train`` rows."""
    return min(n_train, max(1_000, n_train // 4))


def work(
    itemsize: int,
    *,
    data: str,
    n_rows: int = 0,
    rounds: int = 10,
    max_depth: int = 6,
    max_leaves: int = 0,
    bins: int = 255,
    **_: Any,
) -> Mapping[str, Work]:
    """The least that is known: binned search with sibling subtraction.

    Each tree adds a gradient and a count for every row and feature at the root and for half of the rows on each level
    below, then scores every bin of every node above the last level. Reading is one byte per bin, 12 bytes of gradient
    and row number per row, and the table itself once for binning.
    """
    shapes = {"higgs_shaped": 28, "friedman1": 10, "diabetes": 10, "randhie": 9, "fair": 8}
    real_rows = {"diabetes": 331, "randhie": 15_142, "fair": 4_774}
    features, rows = shapes.get(data, 5), n_rows or real_rows.get(data, 0)
    depth = max_depth or max(1, int(np.ceil(np.log2(max(2, max_leaves)))))
    levels = 1 + (depth - 1) / 2
    nodes = min(2**depth - 1, max_leaves - 1 if max_leaves else rows)
    half = test_half(rows)
    return {
        "fit": Work(
            flops=rounds * (2.0 * rows * features * levels + 2.0 * bins * features * nodes),
            bytes_read=rows * features * itemsize + rounds * levels * rows * (features + 12.0),
            bytes_written=rows * features * 1.0,
        ),
        "predict": Work(
            flops=2.0 * half * rounds * (depth + 1),
            bytes_read=2.0 * half * features * itemsize,
            bytes_written=16.0 * half,
        ),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same settings on features of few distinct values, and on no more rows than the reference does at leisure.

    On such features binned and exact search must find the same trees, so that both are held to the same scores. On
    continuous ones two equally good trees differ by more than any error that the check should let through.
    """
    if case["data"] in AWKWARD:
        return case
    levels = min(CHECKED_LEVELS, case.get("bins", CHECKED_LEVELS))
    return {**case, "levels": levels, "n_rows": min(case.get("n_rows", 0), LARGEST_CHECKED_ROWS)}


SUITE = Suite(
    name="gbdt",
    title="Gradient-boosted trees: exact versus histogram split finding",
    cases=grid(data=["higgs_shaped"], n_rows=[250, 500, 1_250])
    + grid("full", data=["higgs_shaped"], n_rows=[30_000, 100_000, 300_000, 1_000_000])
    + grid("full", data=["randhie", "fair", "diabetes"])
    + grid("full", data=["friedman1"], n_rows=[100_000])
    + grid("full", data=["higgs_shaped"], n_rows=[100_000], max_depth=[0], max_leaves=[31]),
    edge_cases=grid(data=["levels"], n_rows=[300], loss=["squared", "logistic"], max_depth=[4], min_rows=[5])
    + grid(data=["levels"], n_rows=[300], loss=["squared", "logistic"], max_depth=[0], max_leaves=[7], min_rows=[5])
    + grid(data=["two_valued"], n_rows=[300], loss=["squared"], bins=[2], min_rows=[5])
    + grid(data=["constant_feature", "repeated_feature"], n_rows=[200], loss=["squared"], max_depth=[3], min_rows=[10])
    + grid(data=["constant_features"], n_rows=[50], loss=["squared"], min_rows=[1])
    + grid(data=["adjacent_floats"], n_rows=[200], loss=["squared"], max_depth=[3])
    + (
        Case.of({"data": "levels", "n_rows": 100, "loss": "squared", "min_rows": 51}),
        Case.of({"data": "one_class", "n_rows": 100, "loss": "logistic"}),
        Case.of({"data": "levels", "n_rows": 100, "loss": "logistic", "rounds": 0}),
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={"fit": (), "predict": (Output("test_scores", Tolerance({"*": 1.0}), dtype="float64"),)},
    baseline="numba_presorted",
    axis="n_rows",
    naive="python_exact",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    cast=("x_train", "x_test"),
    claims=CLAIMS,
    probes=PROBES,
    call_timeout_s=180.0,
)
