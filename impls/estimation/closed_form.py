"""Closed forms: shares and means, conjugate posteriors, ridge regression by Cholesky."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation import conjugate
from suites.estimation.suite import SUITE

Answer = tuple[np.ndarray, np.ndarray]


@implements(
    SUITE,
    dtypes=("float64",),
    kind="exact",
    limits={"model": ("bernoulli", "gaussian", "linear")},
    counters=lambda: conjugate,
)
def estimate(x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int) -> Answer:
    if goal == "mle" and not len(y):
        raise ValueError("no rows, no maximum of the likelihood")
    if model == "bernoulli":
        return _bernoulli(y, goal, *prior)
    if model == "gaussian":
        return _gaussian(y, goal, prior)
    if goal != "posterior":
        return conjugate.point(conjugate.ridge(x, y, 0.0 if goal == "mle" else prior[0] / prior[1])[0])
    mean, factor = conjugate.ridge(x, y, prior[0] / prior[1])
    covariance = prior[0] * conjugate.solve(factor, np.eye(x.shape[1]))
    return conjugate.summary(conjugate.normal_posterior(mean, covariance))


def _bernoulli(y: np.ndarray, goal: str, a: float, b: float) -> Answer:
    successes, n = y.sum(), len(y)
    if goal == "mle":
        return conjugate.point(conjugate.proportion_mle(successes, n))
    if goal == "map":
        return conjugate.point(conjugate.proportion_map(successes, n, a, b))
    return conjugate.summary(conjugate.beta_posterior(y, a, b))


def _gaussian(y: np.ndarray, goal: str, prior: np.ndarray) -> Answer:
    if goal == "mle":
        return conjugate.point([y.mean(), conjugate.variance_mle(y)])
    if goal == "posterior":
        return conjugate.summary(conjugate.gaussian_posterior(y, prior))
    mu, _, alpha, scale = conjugate.normal_inverse_gamma(y, prior)
    # The joint mode: the conditional density of the mean at its peak adds one half to the power of the variance.
    return conjugate.point([mu, scale / (alpha + 1.5)])
