"""scikit-learn's `Ridge(alpha=sigma^2/tau^2, fit_intercept=False, solver="cholesky")`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from harness.contract import implements
from impls.building_blocks.estimation.conjugate import point
from suites.estimation.suite import SUITE


@implements(
    SUITE, library="scikit-learn", dtypes=("float64",), kind="exact", limits={"model": ("linear",), "goal": ("map",)}
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    return point(Ridge(alpha=prior[0] / prior[1], fit_intercept=False, solver="cholesky").fit(x, y).coef_)
