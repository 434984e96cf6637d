"""The answers in closed form, by LAPACK's least squares, by a plain Newton iteration and by adaptive quadrature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

QUANTILES = (0.025, 0.5, 0.975)
Answer = Mapping[str, Any]


def reference(
    x: np.ndarray,
    y: np.ndarray,
    model: str,
    goal: str,
    prior: np.ndarray,
    unpenalised: int,
    effective: int,
    seed: int,
) -> Answer:
    """``centre`` (p,), the point estimate or the posterior means, and ``spread`` (4, p): posterior deviations and
    quantiles 2.5, 50 and 97.5 %; (0, p) for point estimates.

    :raises ValueError: there is no such estimate: no rows for maximum likelihood, a posterior without a mode inside, or
        classes that a plane separates.
    """
    match model, goal:
        case "bernoulli", "posterior":
            from scipy.stats import beta

            k, n = y.sum(), len(y)
            return _posterior([beta(k + prior[0], n - k + prior[1])])
        case "gaussian", "posterior":
            return _gaussian_posterior(y, prior)
        case "linear", "posterior":
            from scipy.stats import norm

            noise, tau2 = prior
            covariance = np.linalg.inv(x.T @ x / noise + np.eye(x.shape[1]) / tau2)
            mean = _ridge(x, y, noise / tau2)
            return _posterior([norm(m, s) for m, s in zip(mean, np.sqrt(np.diag(covariance)), strict=True)])
        case "logistic", "posterior":
            return _logistic_posterior(x, y, float(prior[0]))
    return {"centre": _point(x, y, model, goal, prior, unpenalised), "spread": np.empty((0, _size(x, model)))}


def _size(x: np.ndarray, model: str) -> int:
    return {"bernoulli": 1, "gaussian": 2}.get(model, int(x.shape[1]))


def _posterior(marginals: list[Any]) -> Answer:
    spread = [[marginal.std(), *marginal.ppf(QUANTILES)] for marginal in marginals]
    return {"centre": np.array([marginal.mean() for marginal in marginals]), "spread": np.array(spread).T}


def _point(x: np.ndarray, y: np.ndarray, model: str, goal: str, prior: np.ndarray, unpenalised: int) -> np.ndarray:
    n = len(y)
    if goal == "mle" and n == 0:
        raise ValueError("no rows, no maximum of the likelihood")
    if model == "bernoulli":
        a, b = (1.0, 1.0) if goal == "mle" else prior
        if a < 1 or b < 1 or n + a + b == 2:
            raise ValueError(f"a posterior with a = {a}, b = {b} and n = {n} may have no mode inside")
        return np.array([(y.sum() + a - 1) / (n + a + b - 2)])
    if model == "gaussian":
        if goal == "mle":
            return np.array([y.mean(), np.mean((y - y.mean()) ** 2)])
        mu, _, alpha, beta = _updated(y, prior)
        return np.array([mu, beta / (alpha + 1.5)])
    if model == "linear":
        return _ridge(x, y, 0.0 if goal == "mle" else prior[0] / prior[1])
    return _logistic_mode(x, y, 0.0 if goal == "mle" else 1 / float(prior[0]), unpenalised)


def _updated(y: np.ndarray, prior: np.ndarray) -> tuple[float, float, float, float]:
    """Parameters of the normal-inverse-gamma posterior."""
    mu, kappa, alpha, beta = (float(value) for value in prior)
    n = len(y)
    mean = float(y.mean()) if n else mu
    squares = float(np.sum((y - mean) ** 2))
    return (
        (kappa * mu + n * mean) / (kappa + n),
        kappa + n,
        alpha + n / 2,
        beta + squares / 2 + kappa * n * (mean - mu) ** 2 / (2 * (kappa + n)),
    )


def _gaussian_posterior(y: np.ndarray, prior: np.ndarray) -> Answer:
    from scipy.stats import invgamma, t

    mu, kappa, alpha, beta = _updated(y, prior)
    return _posterior([t(2 * alpha, mu, np.sqrt(beta / (alpha * kappa))), invgamma(alpha, scale=beta)])


def _ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Least squares of the table with rows of the root of the penalty under it, by LAPACK's gelsd.

    :raises ValueError: nothing is penalised and columns depend on each other.
    """
    d = x.shape[1]
    found, _, rank, _ = np.linalg.lstsq(
        np.concatenate([x, np.sqrt(penalty) * np.eye(d)]), np.concatenate([y, np.zeros(d)]), rcond=None
    )
    if rank < d:
        raise ValueError(f"the {d} columns have rank {rank}: the likelihood has no single maximum")
    return np.asarray(found)


def _logistic_mode(x: np.ndarray, y: np.ndarray, penalty: float, unpenalised: int) -> np.ndarray:
    from scipy.special import expit

    penalties = np.full(x.shape[1], penalty)
    penalties[:unpenalised] = 0.0
    if _separable(x, y, unpenalised if penalty else x.shape[1]):
        raise ValueError("a plane separates the classes: the likelihood has no maximum")
    w = np.zeros(x.shape[1])
    for _ in range(200):
        p = expit(x @ w)
        gradient = x.T @ (y - p) - penalties * w
        if np.linalg.norm(gradient) <= 1e-10:
            break
        step = np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + np.diag(penalties), gradient)
        while _log_posterior(x, y, penalties, w + step) < _log_posterior(x, y, penalties, w) - 1e-9:
            step = step / 2
        w = w + step
    return w


def _log_posterior(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, w: np.ndarray) -> float:
    z = x @ w
    return float(y @ z - np.logaddexp(0, z).sum() - penalties @ w**2 / 2)


def _separable(x: np.ndarray, y: np.ndarray, free: int) -> bool:
    """Whether some direction of the first ``free`` coordinates never lowers the likelihood (Albert and Anderson 1984).

    A linear programme: the largest sum of margins that are all at least 0, of coefficients between -1 and 1.
    """
    from scipy.optimize import linprog

    if free == 0:
        return False
    margins = (2 * y - 1)[:, None] * x[:, :free]
    found = linprog(-margins.sum(axis=0), A_ub=-margins, b_ub=np.zeros(len(y)), bounds=(-1, 1))
    return bool(-found.fun > 1e-7)


def _logistic_posterior(x: np.ndarray, y: np.ndarray, tau2: float) -> Answer:
    """One coefficient: moments and quantiles by adaptive quadrature."""
    from scipy.integrate import quad
    from scipy.optimize import brentq

    if x.shape[1] != 1:
        raise ValueError(f"the logistic posterior is integrated for one coefficient, not {x.shape[1]}")
    mode = float(_logistic_mode(x, y, 1 / tau2, 0)[0])
    highest = _log_posterior(x, y, np.array([1 / tau2]), np.array([mode]))
    p = 1 / (1 + np.exp(-x[:, 0] * mode))
    width = 1 / np.sqrt(float(np.sum(x[:, 0] ** 2 * p * (1 - p))) + 1 / tau2)

    def density(w: float) -> float:
        return float(np.exp(_log_posterior(x, y, np.array([1 / tau2]), np.array([w])) - highest))

    def integral(f: Callable[[float], float], low: float, high: float) -> float:
        return float(quad(f, low, high, epsabs=1e-13 * width, epsrel=1e-12, limit=200, points=[mode])[0])

    low, high = mode - 14 * width, mode + 14 * width
    total = integral(density, low, high)
    mean = integral(lambda w: w * density(w), low, high) / total
    variance = integral(lambda w: (w - mean) ** 2 * density(w), low, high) / total

    def below(end: float) -> float:
        return float(quad(density, low, end, epsrel=1e-12, limit=200, points=[min(mode, end)])[0]) / total

    ends = [brentq(lambda w, q=q: below(w) - q, mode - 9 * width, mode + 9 * width, xtol=1e-12) for q in QUANTILES]
    return {"centre": np.array([mean]), "spread": np.array([[np.sqrt(variance)], *([end] for end in ends)])}
