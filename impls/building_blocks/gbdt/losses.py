"""Losses of boosting for compiled code: the score to start from, residuals, Hessians and what leaves hold."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from suites.gbdt.suite import LEAST_CLASS_SHARE, LEAST_HESSIAN

BLOCK = 4096
"""Rows per piece of a loop over rows: enough to pay for handing the piece to a thread."""


def base_score(y: np.ndarray, loss: str) -> float:
    """The mean of ``y``, or the log-odds of the mean."""
    mean = float(y.mean())
    if loss == "squared":
        return mean
    share = min(max(mean, LEAST_CLASS_SHARE), 1.0 - LEAST_CLASS_SHARE)
    return math.log(share / (1.0 - share))


@njit(cache=True, parallel=True)
def set_residuals(y: np.ndarray, scores: np.ndarray, logistic: bool, residual: np.ndarray, hessian: np.ndarray) -> None:
    """Write y - F and 1, or y - p and p(1 - p), float64 (rows,)."""
    rows = len(y)
    for block in prange((rows + BLOCK - 1) // BLOCK):
        for i in range(block * BLOCK, min(rows, (block + 1) * BLOCK)):
            if logistic:
                p = 1.0 / (1.0 + math.exp(-scores[i]))
                residual[i] = y[i] - p
                hessian[i] = p * (1.0 - p)
            else:
                residual[i] = y[i] - scores[i]
                hessian[i] = 1.0


@njit(cache=True)
def leaf_value(rows: np.ndarray, residual: np.ndarray, hessian: np.ndarray) -> float:
    """Sum of residuals over the sum of Hessians of the row numbers ``rows``."""
    numerator = denominator = 0.0
    for row in rows:
        numerator += residual[row]
        denominator += hessian[row]
    return numerator / max(denominator, LEAST_HESSIAN)


@njit(cache=True, parallel=True)
def set_leaves(
    nodes: np.ndarray,
    left: np.ndarray,
    order: np.ndarray,
    residual: np.ndarray,
    hessian: np.ndarray,
    shrinkage: float,
    scores: np.ndarray,
    value: np.ndarray,
) -> None:
    """Set the values of one tree's leaves and add them to the scores of their rows."""
    for node in prange(len(nodes)):
        if left[node] == node:
            inside = order[nodes[node]["start"] : nodes[node]["stop"]]
            value[node] = leaf_value(inside, residual, hessian)
            for row in inside:
                scores[row] += shrinkage * value[node]
