"""Laplace's approximation: a normal distribution at the mode with the curvature there; a share by its log-odds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from harness.contract import implements
from impls.building_blocks.estimation import conjugate
from impls.building_blocks.estimation.logistic import newton, penalties_of
from suites.estimation.suite import SUITE

NODES = 40


@implements(
    SUITE,
    dtypes=("float64",),
    kind="laplace",
    limits={
        "model": ("bernoulli", "linear", "logistic"),
        "goal": ("posterior",),
        "data": ("regression", "collinear", "diabetes", "independent", "autoregressive", "fair", "spector", "anes96"),
        "a": 0.0,
    },
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if model == "linear":
        mean, factor = conjugate.ridge(x, y, prior[0] / prior[1])
        covariance = prior[0] * conjugate.solve(factor, np.eye(x.shape[1]))
        return conjugate.summary(conjugate.normal_posterior(mean, covariance))
    if model == "logistic":
        mode, hessian = newton(x, y, penalties_of(x.shape[1], 1 / prior[0], 0))
        return conjugate.summary(conjugate.normal_posterior(mode, np.linalg.inv(hessian)))
    a, b = y.sum() + prior[0], len(y) - y.sum() + prior[1]
    middle, deviation = float(np.log(a / b)), float(np.sqrt(1 / a + 1 / b))
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    shares = 1 / (1 + np.exp(-(middle + deviation * nodes)))
    mean_share = float(weights @ shares / weights.sum())
    variance = float(weights @ (shares - mean_share) ** 2 / weights.sum())
    ends = 1 / (1 + np.exp(-(middle + deviation * norm.ppf(conjugate.PROBABILITIES))))
    return np.array([mean_share]), np.array([np.sqrt(variance), *ends])[:, None]
