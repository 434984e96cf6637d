"""Newton's method, which for logistic regression is iteratively reweighted least squares, with halved steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation import conjugate
from impls.building_blocks.estimation.logistic import newton, penalties_of
from suites.estimation.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"model": ("linear", "logistic"), "goal": ("mle", "map")})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if not len(y) and goal == "mle":
        raise ValueError("no rows, no maximum of the likelihood")
    if model == "logistic":
        precision = 0.0 if goal == "mle" else 1 / prior[0]
        return conjugate.point(newton(x, y, penalties_of(x.shape[1], precision, unpenalised))[0])
    # The log posterior is a parabola: one step from 0, and one more for what rounding has left.
    penalty = 0.0 if goal == "mle" else prior[0] / prior[1]
    w, factor = conjugate.ridge(x, y, penalty)
    return conjugate.point(w + conjugate.solve(factor, x.T @ (y - x @ w) - penalty * w))
