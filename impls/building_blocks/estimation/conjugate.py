"""Estimates in closed form, over the last axis of what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import beta, invgamma, norm, t

PROBABILITIES = np.array([0.025, 0.5, 0.975])


def proportion_mle(successes: Any, n: Any) -> Any:
    """Share of successes."""
    return successes / n


def proportion_map(successes: Any, n: Any, a: float, b: float) -> Any:
    """Mode of the posterior under Beta(a, b).

    :raises ValueError: the mode may lie at the boundary.
    """
    if a < 1 or b < 1 or np.any(n + a + b == 2):
        raise ValueError(f"under Beta({a}, {b}) the posterior of {n} outcomes may have no mode inside")
    return (successes + a - 1) / (n + a + b - 2)


def proportion_mean(successes: Any, n: Any, a: float, b: float) -> Any:
    """Mean of the posterior under Beta(a, b)."""
    return (successes + a) / (n + a + b)


def variance_mle(samples: np.ndarray) -> np.ndarray:
    """Mean squared difference from the mean, over the last axis."""
    return np.asarray(samples.var(axis=-1))


def james_stein(length2: np.ndarray, d: int) -> np.ndarray:
    """The factor by which an observation of squared length ``length2`` is shrunk (James and Stein 1961)."""
    return np.asarray(1 - (d - 2) / length2)


def beta_posterior(y: np.ndarray, a: float, b: float) -> list[Any]:
    """Marginal distribution of the probability."""
    return [beta(y.sum() + a, len(y) - y.sum() + b)]


def normal_inverse_gamma(y: np.ndarray, prior: np.ndarray) -> tuple[float, float, float, float]:
    """The prior's mu, kappa, alpha and beta after seeing y (Murphy 2007, section 3)."""
    mu, kappa, alpha, scale = (float(value) for value in prior)
    n, total = len(y), float(y.sum())
    after = kappa + n
    centre = (kappa * mu + total) / after
    squares = float(np.square(y - centre).sum()) + kappa * (mu - centre) ** 2
    return centre, after, alpha + n / 2, scale + squares / 2


def gaussian_posterior(y: np.ndarray, prior: np.ndarray) -> list[Any]:
    """Marginal distributions of mean and variance."""
    mu, kappa, alpha, scale = normal_inverse_gamma(y, prior)
    return [t(2 * alpha, mu, np.sqrt(scale / (alpha * kappa))), invgamma(alpha, scale=scale)]


def ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, Any]:
    """Solution (d,) of (X'X + penalty I) w = X'y, and the Cholesky factor of that matrix.

    :raises ValueError: the matrix is singular.
    """
    matrix = x.T @ x
    matrix[np.diag_indices(len(matrix))] += penalty
    factor = factorised(matrix)
    return solve(factor, x.T @ y), factor


def solve(factor: Any, right: np.ndarray) -> np.ndarray:
    """Solution of the factorised system."""
    return np.asarray(cho_solve(factor, right))


def factorised(matrix: np.ndarray) -> Any:
    """Cholesky factor for :func:`solve`.

    :raises ValueError: the matrix is singular to half the digits.
    """
    try:
        factor = cho_factor(matrix, lower=True)
    except np.linalg.LinAlgError as error:
        raise ValueError("collinear features: the estimate is not unique") from error
    diagonal = np.abs(np.diag(factor[0]))
    if diagonal.min() <= 1e-7 * np.sqrt(np.diag(matrix)).max() and diagonal.min() <= 1e-7 * diagonal.max():
        raise ValueError("collinear features: the estimate is not unique")
    return factor


def normal_posterior(mean: np.ndarray, covariance: np.ndarray) -> list[Any]:
    """Marginal distributions of a normal posterior."""
    return [norm(m, s) for m, s in zip(mean, np.sqrt(np.diag(covariance)), strict=True)]


def summary(marginals: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Means (p,), and deviations over quantiles (4, p), of marginal distributions."""
    spread = [[marginal.std(), *marginal.ppf(PROBABILITIES)] for marginal in marginals]
    return np.array([marginal.mean() for marginal in marginals], dtype=np.float64), np.array(spread).T


def point(estimate: Any) -> tuple[np.ndarray, np.ndarray]:
    """A point estimate (p,) as the contract wants it."""
    centre = np.atleast_1d(np.asarray(estimate, dtype=np.float64))
    return centre, np.empty((0, len(centre)))
