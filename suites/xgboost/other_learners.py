"""Gradient boosting with whatever learner: Friedman's loop knows nothing of trees (Friedman 2001, Algorithm 1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Predict = Callable[[np.ndarray], np.ndarray]
Learner = Callable[[np.ndarray, np.ndarray, np.random.Generator], Predict]
"""``(x, residuals, rng)`` to a function that predicts residuals."""


def boost_with(
    learner: Learner, x: np.ndarray, y: np.ndarray, rounds: int, shrinkage: float, rng: np.random.Generator
) -> np.ndarray:
    """Mean squared errors on the training rows after 0, 1, ... rounds of least-squares boosting."""
    scores = np.full(len(y), y.mean())
    losses = [float(np.mean((y - scores) ** 2))]
    for _ in range(rounds):
        scores = scores + shrinkage * learner(x, y - scores, rng)(x)
        losses.append(float(np.mean((y - scores) ** 2)))
    return np.array(losses)


def ridge_on_some_features(
    x: np.ndarray, residual: np.ndarray, rng: np.random.Generator, penalty: float = 1.0
) -> Predict:
    """Ridge regression on three features drawn at random."""
    chosen = rng.choice(x.shape[1], size=3, replace=False)
    means = x[:, chosen].mean(axis=0)
    part = x[:, chosen] - means
    weights = np.linalg.solve(part.T @ part + np.eye(3), part.T @ residual)
    return lambda rows: np.asarray((rows[:, chosen] - means) @ weights)


def falling_rounds(losses: np.ndarray) -> int:
    """How many rounds from the first on lowered the loss without a break."""
    rises = np.flatnonzero(np.diff(losses) >= 0)
    return int(rises[0]) if len(rises) else len(losses) - 1
