"""Finite differences along the axes, and derivatives by passes along the axes in general."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FORWARD_STEP = float(np.finfo(np.float64).eps ** (1 / 2))
CENTRAL_STEP = float(np.finfo(np.float64).eps ** (1 / 3))

Function = Callable[[np.ndarray], Any]


def forward_gradient(function: Function, x: np.ndarray, cotangent: np.ndarray, step: float = FORWARD_STEP) -> Any:
    """(f(x + h e_j) - f(x)) / h with h = step * max(1, abs(x_j)): one evaluation for each axis and one more."""
    here = np.reshape(function(x), -1)
    moved, gradient = x.copy(), np.empty_like(x)
    for j, (value, h) in enumerate(zip(x.tolist(), scaled(step, x), strict=True)):
        moved[j] = value + h
        # What was added after rounding, which is what the difference is to be divided by.
        gradient[j] = cotangent @ ((np.reshape(function(moved), -1) - here) / (moved[j] - value))
        moved[j] = value
    return gradient


def central_gradient(function: Function, x: np.ndarray, cotangent: np.ndarray, step: float = CENTRAL_STEP) -> Any:
    """(f(x + h e_j) - f(x - h e_j)) / 2h: two evaluations for each axis."""
    moved, gradient = x.copy(), np.empty_like(x)
    for j, (value, h) in enumerate(zip(x.tolist(), scaled(step, x), strict=True)):
        above, below = value + h, value - h
        moved[j] = above
        upper = np.reshape(function(moved), -1)
        moved[j] = below
        gradient[j] = cotangent @ ((upper - np.reshape(function(moved), -1)) / (above - below))
        moved[j] = value
    return gradient


def forward_product(function: Function, x: np.ndarray, tangent: np.ndarray) -> Any:
    """The derivative along ``tangent``, by a step of it that moves no coordinate further than one along an axis."""
    h = _along(FORWARD_STEP, x, tangent)
    return (np.reshape(function(x + h * tangent), -1) - np.reshape(function(x), -1)) / h


def central_product(function: Function, x: np.ndarray, tangent: np.ndarray) -> Any:
    h = _along(CENTRAL_STEP, x, tangent)
    return (np.reshape(function(x + h * tangent), -1) - np.reshape(function(x - h * tangent), -1)) / (2 * h)


def scaled(step: float, x: np.ndarray) -> list[float]:
    scales: list[float] = (step * np.maximum(1.0, np.abs(x))).tolist()
    return scales


def _along(step: float, x: np.ndarray, tangent: np.ndarray) -> float:
    largest = np.abs(tangent).max(initial=0.0)
    return float(step * max(1.0, np.abs(x).max(initial=0.0)) / (largest if largest > 0 else 1.0))
