"""Data for boosting: synthetic tables, tables that ship with scikit-learn and statsmodels, and awkward small ones.

Every maker takes ``(rng, rows, loss)`` and returns ``x`` (rows, features) and ``y`` (rows,) in float64, rows in random
order. A real table ignores ``rows`` and returns all it has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Table = tuple[np.ndarray, np.ndarray]
Maker = Callable[[np.random.Generator, int, str], Table]


def higgs_shaped(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """28 continuous features and two classes, a mixture of eight Gaussian clusters; in no way the Higgs data itself."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        rows,
        28,
        n_informative=14,
        n_redundant=7,
        n_clusters_per_class=4,
        class_sep=0.8,
        flip_y=0.05,
        random_state=int(rng.integers(2**31)),
    )
    return x, y.astype(np.float64)


def friedman1(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Friedman's first regression problem with ten uniform features, five of them noise, and noise of deviation 1."""
    x = rng.random((rows, 10))
    mean = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, mean + rng.normal(size=rows)


def diabetes(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """442 patients, ten features, disease progression after one year."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return _shuffled(rng, x, y)


def randhie(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """RAND health insurance experiment, 20,190 person-years: the number of visits to a doctor, or whether any."""
    return _statsmodels(rng, "randhie", loss)


def fair(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Fair's survey of 6,366 women: time spent in affairs, or whether any. All features are small integers."""
    return _statsmodels(rng, "fair", loss)


def _statsmodels(rng: np.random.Generator, name: str, loss: str) -> Table:
    import statsmodels.api

    table = getattr(statsmodels.api.datasets, name).load_pandas()
    target = table.endog.to_numpy(np.float64)
    return _shuffled(rng, table.exog.to_numpy(np.float64), (target > 0) * 1.0 if loss == "logistic" else target)


def _shuffled(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> Table:
    order = rng.permutation(len(y))
    return x[order], y[order]


def levels(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Five integer features of 21 levels, of which binning loses nothing."""
    x = rng.integers(0, 21, size=(rows, 5)).astype(np.float64)
    return _with_target(rng, x, loss)


def two_valued(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Six features of two values each, for two bins."""
    return _with_target(rng, rng.integers(0, 2, size=(rows, 6)).astype(np.float64), loss)


def constant_feature(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Integer features of which the first and the last never change."""
    x, y = levels(rng, rows, loss)
    x[:, [0, -1]] = 3.5
    return x, y


def constant_features(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """No feature ever changes, so that there is nothing to split on."""
    x, y = levels(rng, rows, loss)
    return np.full_like(x, 3.5), y


def one_class(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Every row is of the positive class."""
    x, _ = levels(rng, rows, loss)
    return x, np.ones(rows)


def adjacent_floats(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Features whose distinct values are neighbouring float32 numbers, with no float32 between them to cut at."""
    x, y = levels(rng, rows, loss)
    return 1.0 + x * 2.0**-23, y


def repeated_feature(rng: np.random.Generator, rows: int, loss: str) -> Table:
    """Features that are copies of one another, so that every gain is tied and the lowest feature must win."""
    x, y = levels(rng, rows, loss)
    x[:, 3] = x[:, 1]
    x[:, 4] = -x[:, 0]
    return x, y


def _with_target(rng: np.random.Generator, x: np.ndarray, loss: str) -> Table:
    scaled = x / max(1.0, float(x.max()))
    signal = 3 * scaled[:, 0] + 4 * (scaled[:, 1] - 0.5) * (scaled[:, 2] - 0.5) + rng.normal(0, 0.5, size=len(x))
    return x, (signal > np.median(signal)) * 1.0 if loss == "logistic" else signal


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        higgs_shaped,
        friedman1,
        diabetes,
        randhie,
        fair,
        levels,
        two_valued,
        constant_feature,
        constant_features,
        one_class,
        adjacent_floats,
        repeated_feature,
    )
}
REAL = ("diabetes", "randhie", "fair")
REGRESSION = ("friedman1", "diabetes")
