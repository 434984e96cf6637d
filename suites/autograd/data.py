"""Variables and constants of the programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

ROWS = 256
"""Rows of the matrix under tanh, so that a value takes longer than calling what computes it, however short x is."""
CLASSES, FEATURES = 10, 64


class Size(NamedTuple):
    """The numbers of a case; those that a program has no use for are 0."""

    n: int
    layers: int
    width: int
    batch: int


class Drawn(NamedTuple):
    x: np.ndarray
    table: np.ndarray
    targets: np.ndarray


NOTHING = np.empty((0, 0))
Maker = Callable[[np.random.Generator, Size], Drawn]


def _dense(rng: np.random.Generator, size: Size) -> Drawn:
    """A table (256, n) that gives each row about unit variance."""
    table = rng.normal(size=(ROWS, size.n)) / np.sqrt(max(size.n, 1))
    return Drawn(rng.normal(size=size.n), table, NOTHING)


def _small_table(rng: np.random.Generator, size: Size) -> Drawn:
    return Drawn(rng.normal(size=size.n), rng.normal(size=(4, size.n)), NOTHING)


def _variable(rng: np.random.Generator, size: Size) -> Drawn:
    return Drawn(rng.normal(size=size.n), NOTHING, NOTHING)


def _positive(rng: np.random.Generator, size: Size) -> Drawn:
    return Drawn(rng.uniform(0.5, 2.0, size=size.n), NOTHING, NOTHING)


def _layers(rng: np.random.Generator, size: Size) -> Drawn:
    """Weights (layers, width, width) in a row; the variance of what passes through stays alike."""
    count = size.layers * size.width**2
    x = rng.normal(scale=size.width**-0.5, size=count)
    return Drawn(x, rng.standard_normal((size.batch, size.width)), NOTHING)


def _digits(rng: np.random.Generator, size: Size) -> Drawn:
    """``batch`` of the handwritten digits; x holds 64 x width weights, biases and the second layer."""
    pixels, labels = _loaded_digits()
    chosen = rng.permutation(len(labels))[: size.batch]
    count = (FEATURES + CLASSES + 1) * size.width + CLASSES
    return Drawn(rng.normal(scale=0.3, size=count), pixels[chosen], np.eye(CLASSES)[labels[chosen]])


def _cancer(rng: np.random.Generator, size: Size) -> Drawn:
    """breast_cancer, standardised, with a column of ones."""
    table, signs = _loaded_cancer()
    return Drawn(rng.normal(scale=0.2, size=(table.shape[1],)), table, signs)


def _kinks(rng: np.random.Generator, size: Size) -> Drawn:
    """Numbers of which some are exactly 0 and the largest occurs twice."""
    x = rng.integers(-2, 3, size=size.n).astype(np.float64)
    x[[0, size.n // 2]] = 0.0
    x[[1, -1]] = 3.0
    return Drawn(x, NOTHING, NOTHING)


def _zero(rng: np.random.Generator, size: Size) -> Drawn:
    return Drawn(np.zeros(1), NOTHING, NOTHING)


MAKERS: Mapping[str, Maker] = {
    **dict.fromkeys(("tanh_squares", "layer"), _dense),
    **dict.fromkeys(("rosenbrock", "newton", "tree", "shared", "unused", "gather", "powers"), _variable),
    **dict.fromkeys(("chain", "collatz", "deep"), _positive),
    **dict.fromkeys(("log_of_zero", "one_over_zero"), _zero),
    "broadcast": _small_table,
    "layers": _layers,
    "digits": _digits,
    "logistic": _cancer,
    "kinks": _kinks,
}


@cache
def _loaded_digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return pixels / 16.0, labels


@cache
def _loaded_cancer() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    return np.column_stack([scaled, np.ones(len(labels))]), 2.0 * labels - 1.0
