"""Data for second-order boosting: the tables of plain boosting, one-hot encodings, and awkward small tables with gaps.

Every maker takes ``(rng, rows, loss)`` and returns ``x`` (rows, features) and ``y`` (rows,) in float64, rows in random
order; NaN marks an absent entry. A real table ignores ``rows`` and returns all it has.
"""

from __future__ import annotations

import numpy as np

from suites.gbdt.data import (
    Maker,
    Table,
    constant_feature,
    diabetes,
    fair,
    higgs_shaped,
    levels,
    one_class,
    randhie,
    repeated_feature,
)

VARIABLES = 5
"""Categorical variables of the synthetic one-hot tables."""
QUANTILES = 10
"""Levels that a continuous variable is cut into before it is one-hot encoded."""


def breast_cancer(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """569 tumours, 30 features, malignant or benign."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    order = rng.permutation(len(y))
    return x[order], y[order].astype(np.float64)


def fair_one_hot(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Fair's survey with its eight regressors of small integers one-hot encoded."""
    x, y = fair(rng, rows, loss)
    return one_hot([np.unique(column, return_inverse=True)[1] for column in x.T]), y


def modechoice_one_hot(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """840 offers of a mode of travel, taken or not: the mode, and four costs cut at their deciles, one-hot encoded."""
    import statsmodels.api

    table = statsmodels.api.datasets.modechoice.load_pandas().data
    columns = [np.unique(table["mode"], return_inverse=True)[1]]
    for name in ("ttme", "invc", "gc", "hinc"):
        values = table[name].to_numpy(np.float64)
        edges = np.unique(np.quantile(values, np.arange(1, QUANTILES) / QUANTILES))
        columns.append(np.searchsorted(edges, values))
    x, y = one_hot(columns), table["choice"].to_numpy(np.float64)
    order = rng.permutation(len(y))
    return x[order], y[order]


def one_hot(columns: list[np.ndarray]) -> np.ndarray:
    """1 where a row has the level, absent elsewhere; ``columns`` are integer levels (rows,) of one variable each."""
    encoded = []
    for column in columns:
        block = np.full((len(column), int(column.max()) + 1), np.nan)
        block[np.arange(len(column)), column] = 1.0
        encoded.append(block)
    return np.concatenate(encoded, axis=1)


def _synthetic(rng: np.random.Generator, rows: int, loss: str, count: int) -> Table:
    columns = [rng.integers(0, count, size=rows) for _ in range(VARIABLES)]
    columns = [np.concatenate([column[:-1], [count - 1]]) for column in columns]  # the last level is always there
    signal = sum(rng.normal(size=count)[column] for column in columns) + rng.normal(size=rows)
    return one_hot(columns), (signal > np.median(signal)) * 1.0 if loss == "logistic" else np.asarray(signal)


def one_hot_10(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Five variables of 10 levels: one entry in ten is there."""
    return _synthetic(rng, rows, loss, 10)


def one_hot_100(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Five variables of 100 levels: one entry in a hundred is there."""
    return _synthetic(rng, rows, loss, 100)


def one_hot_1000(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Five variables of 1,000 levels: one entry in a thousand is there."""
    return _synthetic(rng, rows, loss, 1_000)


def gaussian_10(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Ten continuous features, for tables of ten million rows."""
    x = rng.normal(size=(rows, 10))
    signal = x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(size=rows)
    return x, (signal > 0) * 1.0 if loss == "logistic" else signal


def gaps(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Integer features, zeros among them, with a third of the entries absent: a stored zero is no gap."""
    x, y = levels(rng, rows, loss)
    x = x - 10.0
    return np.where(rng.random(x.shape) < 1 / 3, np.nan, x), y


def missing_feature(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """All values of the second feature are absent, and the third has one value or none."""
    x, y = gaps(rng, rows, loss)
    x[:, 1] = np.nan
    x[:, 2] = np.where(np.isnan(x[:, 2]), np.nan, 2.0)
    return x, y


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        higgs_shaped,
        gaussian_10,
        diabetes,
        randhie,
        fair,
        breast_cancer,
        fair_one_hot,
        modechoice_one_hot,
        one_hot_10,
        one_hot_100,
        one_hot_1000,
        levels,
        constant_feature,
        one_class,
        repeated_feature,
        gaps,
        missing_feature,
    )
}
REAL = ("diabetes", "randhie", "fair", "breast_cancer", "fair_one_hot", "modechoice_one_hot")
REGRESSION = ("diabetes",)
AWKWARD = ("levels", "constant_feature", "one_class", "repeated_feature", "gaps", "missing_feature")
"""Data of edge cases, which are checked as they are."""
