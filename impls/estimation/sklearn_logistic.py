"""scikit-learn's `LogisticRegression(solver="newton-cholesky")`: C is tau^2, or infinite for maximum likelihood.

Its own intercept is never penalised. The default tolerance of 1e-4 stops far outside the contract, so it is 1e-10 here,
and a warning (a singular Hessian, no convergence) is an error.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from harness.contract import implements
from impls.building_blocks.estimation.conjugate import point
from suites.estimation.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
    dtypes=("float64",),
    kind="exact",
    limits={"model": ("logistic",), "goal": ("mle", "map")},
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    own = bool(unpenalised)
    regression = LogisticRegression(
        C=np.inf if goal == "mle" else prior[0], solver="newton-cholesky", tol=1e-10, max_iter=200, fit_intercept=own
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = regression.fit(x[:, unpenalised:], y)
    return point(np.concatenate([found.intercept_, found.coef_[0]]) if own else found.coef_[0])
