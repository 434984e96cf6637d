"""PyMC's `pymc.sample`, four chains of NUTS one after another; compiling is part of every call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc

from harness.contract import implements
from impls.building_blocks.estimation.diagnostics import bulk_and_tail, summarised
from suites.estimation.suite import SUITE

CHAINS, WARM_UP = 4, 500


@implements(SUITE, library="pymc", dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",)})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    with pymc.Model():
        names = _describe(x, y, model, prior)
        draws = effective
        while True:
            # It cannot go on from where it was, so that too few draws are drawn again, twice as many.
            trace = pymc.sample(
                draws,
                tune=WARM_UP,
                chains=CHAINS,
                cores=1,
                random_seed=seed,
                progressbar=False,
                compute_convergence_checks=False,
            )
            parts = [np.asarray(trace.posterior[name]).reshape(CHAINS, draws, -1) for name in names]
            found = np.concatenate(parts, axis=2)
            least, rhat = bulk_and_tail(found)
            if least >= effective and rhat <= 1.01:
                return summarised(found)
            draws *= 2


def _describe(x: np.ndarray, y: np.ndarray, model: str, prior: np.ndarray) -> list[str]:
    """Declare the model; the names of its parameters in the suite's order."""
    if model == "bernoulli":
        theta = pymc.Beta("theta", prior[0], prior[1])
        pymc.Binomial("y", n=len(y), p=theta, observed=y.sum())
        return ["theta"]
    if model == "gaussian":
        variance = pymc.InverseGamma("variance", alpha=prior[2], beta=prior[3])
        mean = pymc.Normal("mean", prior[0], sigma=pymc.math.sqrt(variance / prior[1]))
        pymc.Normal("y", mean, sigma=pymc.math.sqrt(variance), observed=y)
        return ["mean", "variance"]
    w = pymc.Normal("w", 0.0, sigma=np.sqrt(prior[-1]), shape=x.shape[1])
    if model == "linear":
        pymc.Normal("y", x @ w, sigma=np.sqrt(prior[0]), observed=y)
    else:
        pymc.Bernoulli("y", logit_p=x @ w, observed=y)
    return ["w"]
