"""scikit-learn's `BayesianRidge`, with priors on both precisions that are too narrow for them to move."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import BayesianRidge

from harness.contract import implements
from impls.building_blocks.estimation import conjugate
from suites.estimation.suite import SUITE

NARROW = 1e14


@implements(
    SUITE,
    library="scikit-learn",
    dtypes=("float64",),
    kind="exact",
    limits={"model": ("linear",), "goal": ("posterior",), "data": ("regression", "diabetes", "collinear")},
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    noise, tau2 = prior
    found = BayesianRidge(
        alpha_init=1 / noise,
        alpha_1=NARROW,
        alpha_2=NARROW * noise,
        lambda_init=1 / tau2,
        lambda_1=NARROW,
        lambda_2=NARROW * tau2,
        fit_intercept=False,
    ).fit(x, y)
    return conjugate.summary(conjugate.normal_posterior(found.coef_, found.sigma_))
