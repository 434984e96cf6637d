"""Random-walk Metropolis, four chains side by side in NumPy, one step after another in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation.diagnostics import sample_until, summarised
from impls.building_blocks.estimation.metropolis import CHAINS, FIRST_DRAWS, tuned
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE


@implements(SUITE, dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",), "d": 8})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    target = Target(np, x, y, model, prior)
    rng = np.random.default_rng(seed)

    def advance(state: np.ndarray, step: float, count: int) -> tuple[np.ndarray, float]:
        draws, accepted = np.empty((CHAINS, count, target.d)), 0.0
        value = target.log_density(state)
        noise, logs = step * rng.normal(size=(count, CHAINS, target.d)), np.log(rng.random((count, CHAINS)))
        for turn in range(count):
            there = state + noise[turn]
            proposed = target.log_density(there)
            taken = logs[turn] < proposed - value
            state = np.where(taken[:, None], there, state)
            value = np.where(taken, proposed, value)
            draws[:, turn] = state
            accepted += taken.mean()
        return draws, accepted / count

    start = target.start() + 0.1 * rng.normal(size=(CHAINS, target.d))
    state, step = tuned(advance, start)

    def draw(count: int) -> np.ndarray:
        nonlocal state
        draws, _ = advance(state, step, count)
        state = draws[:, -1]
        return draws

    return summarised(target.constrain(sample_until(draw, effective, FIRST_DRAWS)))
