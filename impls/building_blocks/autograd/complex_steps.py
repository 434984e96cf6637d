"""Complex steps: Im f(x + ihv)/h, after Squire and Trapp 1998."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEP = 1e-30


def derivative_along(function: Callable[[np.ndarray], Any], x: np.ndarray, tangent: np.ndarray) -> np.ndarray:
    """The Jacobian times ``tangent`` (m,)."""
    moved = x.astype(np.complex128)
    moved.imag = STEP * tangent
    return np.reshape(function(moved), -1).imag / STEP


def gradient(function: Callable[[np.ndarray], Any], x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
    """The gradient of cotangent . f, one evaluation for each axis."""
    moved, result = x.astype(np.complex128), np.empty_like(x)
    for j, value in enumerate(x.tolist()):
        moved[j] = complex(value, STEP)
        result[j] = cotangent @ np.reshape(function(moved), -1).imag / STEP
        moved[j] = value
    return result
