"""Data for forests: synthetic tables, tables that ship with scikit-learn, and awkward small ones.

Every maker takes ``(rng, rows)`` and returns ``x`` float64 (rows, features) and ``y`` int64 (rows,), rows in random
order. A real table ignores ``rows`` and returns all it has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Table = tuple[np.ndarray, np.ndarray]
Maker = Callable[[np.random.Generator, int], Table]


def higgs_shaped(rng: np.random.Generator, rows: int) -> Table:
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
    return x, y.astype(np.int64)


def digits(rng: np.random.Generator, rows: int) -> Table:
    """1,797 images of 8 x 8 pixels in 17 shades, ten digits."""
    return _sklearn(rng, "load_digits")


def breast_cancer(rng: np.random.Generator, rows: int) -> Table:
    """569 tumours, 30 measurements, two classes."""
    return _sklearn(rng, "load_breast_cancer")


def wine(rng: np.random.Generator, rows: int) -> Table:
    """178 wines, 13 measurements, three growers."""
    return _sklearn(rng, "load_wine")


def _sklearn(rng: np.random.Generator, name: str) -> Table:
    import sklearn.datasets

    x, y = getattr(sklearn.datasets, name)(return_X_y=True)
    order = rng.permutation(len(y))
    return x[order], y[order].astype(np.int64)


def friedman1(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Friedman's first regression problem: ten uniform features, five of them noise; ``y`` float64 with deviation 1."""
    x = rng.random((rows, 10))
    mean = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return x, mean + rng.normal(size=rows)


def levels(rng: np.random.Generator, rows: int) -> Table:
    """Five features of nine levels and three classes, a fifth of them wrong: many tied splits and impure leaves."""
    x = rng.integers(0, 9, size=(rows, 5)).astype(np.float64)
    y = (x[:, 0] > 4).astype(np.int64) + (x[:, 1] > x[:, 2])
    wrong = rng.random(rows) < 0.2
    return x, np.where(wrong, rng.integers(0, 3, rows), y)


def constant_features(rng: np.random.Generator, rows: int) -> Table:
    """Only two of five features ever change, so that a draw of one or two often has to go on."""
    x, y = levels(rng, rows)
    x[:, [0, 2, 4]] = 3.5
    return x, y


def nothing_varies(rng: np.random.Generator, rows: int) -> Table:
    """No feature ever changes: a single impure leaf."""
    x, y = levels(rng, rows)
    return np.full_like(x, 3.5), y


def one_class(rng: np.random.Generator, rows: int) -> Table:
    """Every row is of class 2 of three."""
    x, _ = levels(rng, rows)
    return x, np.full(rows, 2)


def rare_class(rng: np.random.Generator, rows: int) -> Table:
    """A single row of class 2, which a third of the bootstrap samples lack."""
    x, y = levels(rng, rows)
    y = np.minimum(y, 1)
    y[0] = 2
    return x, y


def adjacent_floats(rng: np.random.Generator, rows: int) -> Table:
    """Features whose distinct values are neighbouring float32 numbers, with no float32 between them to cut at."""
    x, y = levels(rng, rows)
    return 1.0 + x * 2.0**-23, y


def repeated_features(rng: np.random.Generator, rows: int) -> Table:
    """Features that are copies of one another, also mirrored, so that every score is tied."""
    x, y = levels(rng, rows)
    x[:, 3] = x[:, 1]
    x[:, 4] = -x[:, 1]
    return x, y


MAKERS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        higgs_shaped,
        digits,
        breast_cancer,
        wine,
        levels,
        constant_features,
        nothing_varies,
        one_class,
        rare_class,
        adjacent_floats,
        repeated_features,
    )
}
REAL = {"digits": 10, "breast_cancer": 2, "wine": 3}
"""Numbers of classes of the real tables."""
CLASSES = {"higgs_shaped": 2, **REAL}
"""Numbers of classes; 3 for all others."""
