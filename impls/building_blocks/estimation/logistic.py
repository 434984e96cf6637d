"""Log posterior of logistic regression, and when its maximum does not exist."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from impls.building_blocks.estimation.conjugate import factorised, solve

LARGEST_LOGIT = 30.0
"""Beyond it a probability is 0 or 1 to all digits: coefficients that reach it are on their way to infinity."""
GRADIENT = 1e-10
MOST_STEPS = 100


def penalties_of(d: int, precision: float, unpenalised: int) -> np.ndarray:
    """Prior precisions (d,), 0 for the first ``unpenalised`` coefficients."""
    penalties = np.full(d, precision)
    penalties[:unpenalised] = 0.0
    return penalties


def log_posterior(y: np.ndarray, logits: np.ndarray, penalties: np.ndarray, w: np.ndarray) -> float:
    """Up to a constant, from logits (n,) = X w."""
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return float(y @ logits - softplus.sum() - 0.5 * (penalties @ (w * w)))


def require_overlap(y: np.ndarray, logits: np.ndarray, p: np.ndarray) -> None:
    """Refuse an estimate that runs off to infinity.

    :raises ValueError: every row is on the right side by far, or there are rows that are so without any bound.
    """
    residual = np.abs(y - p)
    if residual.max() < 1e-4 or (np.abs(logits).max() > LARGEST_LOGIT and residual[np.abs(logits) > 20].max() < 1e-8):
        raise ValueError("the classes are separable: the likelihood has no maximum")


def newton(
    x: np.ndarray, y: np.ndarray, penalties: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The mode (d,) and the negative Hessian there (d, d), by Newton steps that are halved while the posterior falls.

    :raises ValueError: there is no mode, or no single one.
    """
    w = np.zeros(x.shape[1]) if start is None else start
    logits = x @ w
    value = log_posterior(y, logits, penalties, w)
    free = not penalties.all()
    for _ in range(MOST_STEPS):
        p = expit(logits)
        if free:
            require_overlap(y, logits, p)
        gradient = x.T @ (y - p) - penalties * w
        root = np.sqrt(p * (1 - p))
        weighted = x * root[:, None]
        hessian = weighted.T @ weighted
        hessian[np.diag_indices(len(w))] += penalties
        size = float(np.linalg.norm(gradient))
        if size <= GRADIENT * max(1.0, np.sqrt(len(y))):
            return w, hessian
        step = solve(factorised(hessian), gradient)
        change = x @ step
        for _ in range(60):
            new_w, new_logits = w + step, logits + change
            new_value = log_posterior(y, new_logits, penalties, new_w)
            # Near the mode the gain is below the rounding of the posterior itself.
            if new_value >= value - 1e-12 * abs(value):
                break
            step, change = step / 2, change / 2
        if np.linalg.norm(step) <= 1e-15 * np.linalg.norm(w):
            return w, hessian
        w, logits, value = new_w, new_logits, new_value
    raise ValueError(f"no mode after {MOST_STEPS} Newton steps: the classes are close to separable")
