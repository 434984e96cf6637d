"""Data for boosting by reweighting: synthetic tables, tables that ship with scikit-learn, and awkward small ones.

Every maker takes ``(rng, rows, features)`` and returns ``x`` (rows, features) float64 and ``y`` (rows,) of -1 and 1,
rows in random order. A real table ignores both numbers and returns all it has. Values are representable in float32, to
which scikit-learn's trees round, so that no implementation sees other data than the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

Table = tuple[np.ndarray, np.ndarray]
Maker = Callable[[np.random.Generator, int, int], Table]

HASTIE_MEDIAN = 9.34
"""Median of the sum of ten squared normal variables, as Hastie, Tibshirani and Friedman round it."""
TEST_SHARE = 0.2
"""Part of a real table that is left for testing."""


class Split(NamedTuple):
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split(
    rng: np.random.Generator, data: str, rows: int, features: int, test_rows: int, noise_percent: int = 0
) -> Split:
    """Training and test rows of ``data``; labels of ``noise_percent`` % of the training rows are flipped.

    A real table is split at random, four fifths to train on.
    """
    x, y = MAKERS[data](rng, rows + test_rows, features)
    train = round((1 - TEST_SHARE) * len(y)) if data in REAL else rows
    y_train = y[:train].copy()
    flipped = rng.permutation(train)[: round(noise_percent / 100 * train)]
    y_train[flipped] *= -1
    return Split(np.ascontiguousarray(x[:train]), y_train, np.ascontiguousarray(x[train:]), y[train:])


def classification(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Continuous features and two classes, a mixture of Gaussian clusters with a twentieth of the labels at random."""
    from sklearn.datasets import make_classification

    x, y = make_classification(
        rows, features, n_informative=features // 2, flip_y=0.05, random_state=int(rng.integers(2**31))
    )
    return _prepared(x, y)


def hastie(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Ten normal features; positive where the sum of their squares exceeds its median (ESL, section 10.1)."""
    x = rng.normal(size=(rows, 10)).astype(np.float32).astype(np.float64)
    return _prepared(x, (x**2).sum(axis=1) > HASTIE_MEDIAN)


def breast_cancer(rng: np.random.Generator, rows: int, features: int) -> Table:
    """569 tumours, 30 features, benign against malignant."""
    return _shuffled(rng, *_load("breast_cancer"))


def digits_4v9(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Images of 4 against 9, 64 pixels of 17 grey levels."""
    return _digits(rng, 4, 9)


def digits_3v8(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Images of 3 against 8."""
    return _digits(rng, 3, 8)


def digits_1v7(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Images of 1 against 7."""
    return _digits(rng, 1, 7)


def _digits(rng: np.random.Generator, negative: int, positive: int) -> Table:
    x, digit = _load("digits")
    chosen = (digit == negative) | (digit == positive)
    return _shuffled(rng, x[chosen], digit[chosen] == positive)


def levels(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Integer features of six levels, full of ties between thresholds and between features."""
    x = rng.integers(0, 6, size=(rows, features)).astype(np.float64)
    return _prepared(x, x[:, 0] + x[:, 1] + rng.normal(size=rows) > 5)


def perfect(rng: np.random.Generator, rows: int, features: int) -> Table:
    """One feature tells the classes apart without error, by small values for the positive class."""
    x = rng.normal(size=(rows, features))
    return _prepared(x, x[:, -1].astype(np.float32) < 0.1)


def constant_features(rng: np.random.Generator, rows: int, features: int) -> Table:
    """No feature ever changes, so that only the constant stump is left."""
    return _prepared(np.full((rows, features), 3.5), np.arange(rows) % 3 == 0)


def opposite_labels(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Every point comes twice, now and then with opposite labels, so that no rule is without error."""
    half = rng.integers(0, 4, size=((rows + 1) // 2, features)).astype(np.float64)
    x = np.concatenate([half, half])[:rows]
    return _prepared(x, np.where(rng.random(rows) < 0.2, x[:, 0] < 2, x[:, 0] >= 2))


def one_class(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Every row is of the positive class."""
    return _prepared(rng.normal(size=(rows, features)), np.ones(rows))


def one_class_negative(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Every row is of the negative class."""
    return _prepared(rng.normal(size=(rows, features)), np.zeros(rows))


def repeated_feature(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Features that are copies of one another or mirrored, so that the lowest must win."""
    x, y = levels(rng, rows, features)
    x[:, -1] = x[:, 0]
    x[:, -2] = -x[:, 1]
    return x, y


def adjacent_floats(rng: np.random.Generator, rows: int, features: int) -> Table:
    """Features whose distinct values are neighbouring float64 numbers: no midpoint lies between them."""
    x, y = levels(rng, rows, features)
    return 1.0 + x * 2.0**-52, y


@cache
def _load(name: str) -> Table:
    """A table of scikit-learn; probes split it many times, and parsing it takes longer than boosting on it."""
    import sklearn.datasets

    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    return x, y


def _shuffled(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> Table:
    order = rng.permutation(len(y))
    return _prepared(x[order], y[order])


def _prepared(x: np.ndarray, positive: np.ndarray) -> Table:
    return x.astype(np.float32).astype(np.float64), np.where(positive, 1, -1).astype(np.int8)


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        classification,
        hastie,
        breast_cancer,
        digits_4v9,
        digits_3v8,
        digits_1v7,
        levels,
        perfect,
        constant_features,
        opposite_labels,
        one_class,
        one_class_negative,
        repeated_feature,
        adjacent_floats,
    )
}
REAL = ("breast_cancer", "digits_4v9", "digits_3v8", "digits_1v7")
