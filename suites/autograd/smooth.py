"""Twenty smooth functions of one number, with values and derivatives of order one between 0.5 and 1.5."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Function = Callable[[float], float]

FUNCTIONS: tuple[tuple[Function, Function], ...] = (
    (lambda x: np.sin(x), lambda x: np.cos(x)),
    (lambda x: np.cos(x), lambda x: -np.sin(x)),
    (lambda x: np.exp(-x), lambda x: -np.exp(-x)),
    (lambda x: np.exp(x) / 2, lambda x: np.exp(x) / 2),
    (lambda x: np.tanh(x), lambda x: 1 - np.tanh(x) ** 2),
    (lambda x: np.log(1 + x), lambda x: 1 / (1 + x)),
    (lambda x: np.log(1 + x**2), lambda x: 2 * x / (1 + x**2)),
    (lambda x: np.sqrt(1 + x), lambda x: 0.5 / np.sqrt(1 + x)),
    (lambda x: np.sqrt(1 + x**2), lambda x: x / np.sqrt(1 + x**2)),
    (lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    (lambda x: 1 / (1 + x**2), lambda x: -2 * x / (1 + x**2) ** 2),
    (lambda x: np.arctan(x), lambda x: 1 / (1 + x**2)),
    (lambda x: np.sinh(x), lambda x: np.cosh(x)),
    (lambda x: np.cosh(x), lambda x: np.sinh(x)),
    (lambda x: x * np.sin(x), lambda x: np.sin(x) + x * np.cos(x)),
    (lambda x: x * np.exp(-x), lambda x: (1 - x) * np.exp(-x)),
    (lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2))),
    (lambda x: np.sin(x) * np.exp(-x), lambda x: (np.cos(x) - np.sin(x)) * np.exp(-x)),
    (lambda x: np.log(1 + np.exp(x)), lambda x: 1 / (1 + np.exp(-x))),
    (lambda x: x**3 / 3 - x, lambda x: x**2 - 1),
)
"""Each with its derivative."""
