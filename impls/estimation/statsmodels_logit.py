"""statsmodels' `Logit(y, X).fit(method="newton")`, maximum likelihood, to a step of 1e-10."""

from __future__ import annotations

from typing import Any

import numpy as np
import statsmodels.api

from harness.contract import implements
from impls.building_blocks.estimation.conjugate import point
from suites.estimation.suite import SUITE


@implements(
    SUITE, library="statsmodels", dtypes=("float64",), kind="exact", limits={"model": ("logistic",), "goal": ("mle",)}
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    found = statsmodels.api.Logit(y, x).fit(method="newton", disp=False, tol=1e-10, maxiter=100)
    if not found.mle_retvals["converged"]:
        raise ValueError("Newton did not converge: the classes are close to separable")
    return point(found.params)
