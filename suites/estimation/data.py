"""Data for estimation: simulated samples, real tables of statsmodels and scikit-learn, and awkward small ones.

Every maker takes ``(rng, n, d)`` and returns ``x`` (n, d) and ``y`` (n,) in float64. Models without features get none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Table = tuple[np.ndarray, np.ndarray]
Maker = Callable[[np.random.Generator, int, int], Table]


def bernoulli(rng: np.random.Generator, n: int, d: int) -> Table:
    """Outcomes with probability 0.3."""
    return np.empty((n, 0)), (rng.random(n) < 0.3).astype(np.float64)


def no_success(rng: np.random.Generator, n: int, d: int) -> Table:
    """Every outcome is 0."""
    return np.empty((n, 0)), np.zeros(n)


def all_successes(rng: np.random.Generator, n: int, d: int) -> Table:
    """Every outcome is 1."""
    return np.empty((n, 0)), np.ones(n)


def normal(rng: np.random.Generator, n: int, d: int) -> Table:
    """Mean 1, deviation 2."""
    return np.empty((n, 0)), 1 + 2 * rng.normal(size=n)


def regression(rng: np.random.Generator, n: int, d: int) -> Table:
    """Standard normal features, coefficients and noise."""
    x = rng.normal(size=(n, d))
    return x, x @ rng.normal(size=d) + rng.normal(size=n)


def collinear(rng: np.random.Generator, n: int, d: int) -> Table:
    """The last feature repeats the first."""
    x, y = regression(rng, n, d)
    x[:, -1] = x[:, 0]
    return x, y


def diabetes(rng: np.random.Generator, n: int, d: int) -> Table:
    """442 patients, ten features, disease progression in units of its deviation."""
    from sklearn.datasets import load_diabetes

    x, y = load_diabetes(return_X_y=True)
    return _rows(rng, x, (y - y.mean()) / y.std(), n, d)


def classes(rng: np.random.Generator, n: int, d: int) -> Table:
    """Standard normal features, a column of ones in front, and classes by a logistic model."""
    x = np.column_stack([np.ones(n), rng.normal(size=(n, d - 1))]) if d > 1 else rng.normal(size=(n, d))
    weights = rng.normal(size=d) / np.sqrt(d)
    y = (rng.random(n) < 1 / (1 + np.exp(-x @ weights))).astype(np.float64)
    y[:2] = 0, 1
    return x, y


def separable(rng: np.random.Generator, n: int, d: int) -> Table:
    """The sign of the second column decides the class."""
    x, _ = classes(rng, n, d)
    x[:, 1] += np.sign(x[:, 1])
    return x, (x[:, 1] > 0).astype(np.float64)


def breast_cancer(rng: np.random.Generator, n: int, d: int) -> Table:
    """569 tumours, a column of ones and up to 30 standardised features: nearly separable."""
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return _with_ones(rng, x[:, : d - 1], y.astype(np.float64), n, d)


def spector(rng: np.random.Generator, n: int, d: int) -> Table:
    """32 students: did the grade improve; a column of ones and 3 features."""
    return _statsmodels(rng, "spector", n, d)


def anes96(rng: np.random.Generator, n: int, d: int) -> Table:
    """944 voters of 1996: Dole or Clinton; a column of ones and 5 features."""
    import statsmodels.api

    data = statsmodels.api.datasets.anes96.load_pandas().data
    features = data[["logpopul", "selfLR", "age", "educ", "income"]].to_numpy(np.float64)
    return _with_ones(rng, features, data["vote"].to_numpy(np.float64), n, d)


def fair(rng: np.random.Generator, n: int, d: int) -> Table:
    """6,366 women: any affair; a column of ones and 8 features."""
    import statsmodels.api

    table = statsmodels.api.datasets.fair.load_pandas()
    y = (table.endog.to_numpy(np.float64) > 0).astype(np.float64)
    return _with_ones(rng, table.exog.to_numpy(np.float64), y, n, d)


def independent(rng: np.random.Generator, n: int, d: int) -> Table:
    """With a flat prior and noise of variance 1, the posterior is the standard normal distribution of d dimensions."""
    return np.eye(d), np.zeros(d)


def autoregressive(rng: np.random.Generator, n: int, d: int) -> Table:
    """As :func:`independent`, but coordinates of the posterior that are j apart have the correlation 0.9^j."""
    correlation = 0.9
    innovations = np.full(d, 1 / np.sqrt(1 - correlation**2))
    innovations[0] = 1.0
    return np.diag(innovations) - np.diag(correlation * innovations[1:], -1), np.zeros(d)


def _statsmodels(rng: np.random.Generator, name: str, n: int, d: int) -> Table:
    import statsmodels.api

    table = getattr(statsmodels.api.datasets, name).load_pandas()
    return _with_ones(rng, table.exog.to_numpy(np.float64), table.endog.to_numpy(np.float64), n, d)


def _with_ones(rng: np.random.Generator, features: np.ndarray, y: np.ndarray, n: int, d: int) -> Table:
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return _rows(rng, np.column_stack([np.ones(len(y)), scaled]), y, n, d)


def _rows(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, n: int, d: int) -> Table:
    if n > len(x) or d != x.shape[1]:
        raise ValueError(f"the data has {x.shape[0]} rows of {x.shape[1]}, not {n} rows of {d}")
    order = rng.permutation(len(x))[:n]
    return np.ascontiguousarray(x[order]), y[order].copy()


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        bernoulli,
        no_success,
        all_successes,
        normal,
        regression,
        collinear,
        diabetes,
        classes,
        separable,
        breast_cancer,
        spector,
        anes96,
        fair,
        independent,
        autoregressive,
    )
}
