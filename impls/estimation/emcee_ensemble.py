"""emcee's `EnsembleSampler`, an affine-invariant ensemble (Goodman and Weare 2010), vectorised over its walkers."""

from __future__ import annotations

from typing import Any

import emcee
import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation.diagnostics import sample_until, summarised
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE

WALKERS, WARM_UP, FIRST_DRAWS = 18, 300, 1_000


@implements(SUITE, library="emcee", dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",), "d": 8})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    target = Target(np, x, y, model, prior)
    rng = np.random.default_rng(seed)
    sampler = emcee.EnsembleSampler(WALKERS, target.d, target.log_density, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    state = sampler.run_mcmc(target.start() + 0.1 * rng.normal(size=(WALKERS, target.d)), WARM_UP)

    def draw(count: int) -> np.ndarray:
        nonlocal state
        sampler.reset()
        state = sampler.run_mcmc(state, count)
        return np.asarray(sampler.get_chain().swapaxes(0, 1))

    return summarised(target.constrain(sample_until(draw, effective, FIRST_DRAWS)))
