"""L-BFGS with 20 remembered steps, on the log posterior per row."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation import conjugate
from impls.building_blocks.estimation.lbfgs import minimise
from impls.building_blocks.estimation.logistic import log_posterior, penalties_of, require_overlap
from suites.estimation.suite import SUITE

GRADIENT = 1e-12


@implements(SUITE, dtypes=("float64",), kind="exact", limits={"model": ("logistic",), "goal": ("mle", "map")})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if not len(y) and goal == "mle":
        raise ValueError("no rows, no maximum of the likelihood")
    penalties = penalties_of(x.shape[1], 0.0 if goal == "mle" else 1 / prior[0], unpenalised)
    free = not penalties.all()

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        logits = x @ w
        p = (np.tanh(logits / 2) + 1) / 2
        if free:
            require_overlap(y, logits, p)
        gradient = x.T @ (p - y) + penalties * w
        return -log_posterior(y, logits, penalties, w) / len(y), gradient / len(y)

    return conjugate.point(minimise(objective, np.zeros(x.shape[1]), GRADIENT))
