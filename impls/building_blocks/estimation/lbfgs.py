"""L-BFGS with a line search that still works where the function no longer changes (Nocedal 1980; Hager, Zhang 2005)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
MEMORY = 20
MOST_STEPS = 5_000
SUFFICIENT, CURVATURE = 1e-4, 0.9
ROUNDING = 1e-12


def minimise(objective: Objective, start: np.ndarray, tolerance: float) -> np.ndarray:
    """The point (d,) where the gradient is at most ``tolerance`` long.

    :raises ValueError: it is not reached.
    """
    w = start
    value, gradient = objective(w)
    steps: list[np.ndarray] = []
    changes: list[np.ndarray] = []
    for _ in range(MOST_STEPS):
        if np.linalg.norm(gradient) <= tolerance:
            return w
        direction = -_times_inverse_hessian(gradient, steps, changes)
        if gradient @ direction >= 0:
            steps, changes, direction = [], [], -gradient
        first = 1.0 if steps else min(1.0, 1 / float(np.linalg.norm(gradient)))
        found = _search(objective, w, value, gradient, direction, first)
        step, change = found[0] - w, found[2] - gradient
        if not step.any():
            break
        if step @ change > 1e-14 * float(step @ step):
            steps, changes = [*steps[-MEMORY + 1 :], step], [*changes[-MEMORY + 1 :], change]
        w, value, gradient = found
    raise ValueError(
        f"no minimum: the gradient is still {np.linalg.norm(gradient):.3g} long, wanted is {tolerance:.3g}"
    )


def _times_inverse_hessian(gradient: np.ndarray, steps: list[np.ndarray], changes: list[np.ndarray]) -> np.ndarray:
    """Two loops over what is remembered."""
    found = gradient.copy()
    weights = []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        weight = (step @ found) / (step @ change)
        found -= weight * change
        weights.append(weight)
    if steps:
        found *= (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for step, change, weight in zip(steps, changes, reversed(weights), strict=True):
        found += (weight - (change @ found) / (step @ change)) * step
    return found


def _search(
    objective: Objective, w: np.ndarray, value: float, gradient: np.ndarray, direction: np.ndarray, length: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """Point, value and gradient after a step that meets Wolfe's conditions, by bisection.

    Where the value changes by no more than its rounding, the slope alone decides.
    """
    slope = float(gradient @ direction)
    low, high = 0.0, np.inf
    best = (w, value, gradient)
    for _ in range(60):
        point = w + length * direction
        found, there = objective(point)
        best = (point, found, there)
        new_slope = float(there @ direction)
        flat = found <= value + ROUNDING * abs(value)
        if not (found <= value + SUFFICIENT * length * slope or (flat and new_slope <= -0.8 * slope)):
            high = length
        elif new_slope < CURVATURE * slope:
            low = length
        else:
            return best
        length = (low + high) / 2 if np.isfinite(high) else 2 * length
    return best
