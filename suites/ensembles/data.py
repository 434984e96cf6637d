"""Data for ensembles: the classification tables that ship with scikit-learn and statsmodels, moons and friedman1.

Every maker takes ``(rng, rows)`` and returns ``x`` (rows, features) float64 and ``y``: classes 0 .. c-1 as int64, or a
float64 target. Rows are in random order; a real table ignores ``rows`` and returns all it has. Values are representable
in float32, to which scikit-learn's trees round.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

Table = tuple[np.ndarray, np.ndarray]
Maker = Callable[[np.random.Generator, int], Table]


def moons(rng: np.random.Generator, rows: int) -> Table:
    """Two interleaved half circles with normal noise of deviation 0.3."""
    y = rng.integers(0, 2, size=rows)
    angle = rng.uniform(0, np.pi, size=rows)
    x = np.stack(
        [np.where(y == 0, np.cos(angle), 1 - np.cos(angle)), np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle))]
    )
    return _rounded(x.T + rng.normal(0, 0.3, size=(rows, 2))), y


def friedman1(rng: np.random.Generator, rows: int) -> Table:
    """Friedman's first regression problem with noise of deviation 1."""
    x = _rounded(rng.random((rows, 10)))
    return x, friedman1_mean(x) + rng.normal(size=rows)


def friedman1_mean(x: np.ndarray) -> np.ndarray:
    """The target without noise."""
    mean: np.ndarray = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return mean


def iris(rng: np.random.Generator, rows: int) -> Table:
    """150 flowers of three species."""
    return _shuffled(rng, *_sklearn("iris"))


def wine(rng: np.random.Generator, rows: int) -> Table:
    """178 wines of three growers."""
    return _shuffled(rng, *_sklearn("wine"))


def breast_cancer(rng: np.random.Generator, rows: int) -> Table:
    """569 tumours, benign against malignant."""
    return _shuffled(rng, *_sklearn("breast_cancer"))


def digits(rng: np.random.Generator, rows: int) -> Table:
    """1,797 images of ten digits."""
    return _shuffled(rng, *_sklearn("digits"))


def anes96_vote(rng: np.random.Generator, rows: int) -> Table:
    """American National Election Study 1996: 944 answers, the vote from the other ten columns."""
    return _shuffled(rng, *_statsmodels("anes96"))


def fair(rng: np.random.Generator, rows: int) -> Table:
    """Fair's survey of 6,366 women: whether any time was spent in affairs."""
    return _shuffled(rng, *_statsmodels("fair"))


def sorted_classes(rng: np.random.Generator, rows: int) -> Table:
    """Three overlapping classes in the order of their numbers."""
    y = np.sort(np.arange(rows) % 3)
    return _rounded(rng.normal(size=(rows, 3)) + y[:, None]), y


@cache
def _sklearn(name: str) -> Table:
    import sklearn.datasets

    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return x, y


@cache
def _statsmodels(name: str) -> Table:
    import statsmodels.api

    table = getattr(statsmodels.api.datasets, name).load_pandas().data
    target = "vote" if name == "anes96" else "affairs"
    return table.drop(columns=target).to_numpy(np.float64), (table[target] > 0).to_numpy(np.int64)


def _shuffled(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> Table:
    order = rng.permutation(len(y))
    return _rounded(x[order]), y[order].astype(np.int64)


def _rounded(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.astype(np.float32).astype(np.float64))


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (moons, friedman1, iris, wine, breast_cancer, digits, anes96_vote, fair, sorted_classes)
}
REAL = ("iris", "wine", "breast_cancer", "digits", "anes96_vote", "fair")
REGRESSION = ("friedman1",)
