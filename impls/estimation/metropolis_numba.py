"""Random-walk Metropolis in Numba, four chains on as many threads as there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation.compiled_metropolis import CODES, advance
from impls.building_blocks.estimation.diagnostics import sample_until, summarised
from impls.building_blocks.estimation.metropolis import CHAINS, FIRST_DRAWS, tuned
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE

MOST_NUMBERS = 1 << 22
"""Random numbers that are held at once."""


@implements(SUITE, dtypes=("float64",), kind="sampler", limits={"goal": ("posterior",), "d": 32})
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    target = Target(np, x, y, model, prior)
    rng = np.random.default_rng(seed)
    sums = np.array([len(y), y.sum(), (y * y).sum()])

    def some(state: np.ndarray, step: float, count: int) -> tuple[np.ndarray, float]:
        noise = rng.standard_normal((CHAINS, count, target.d))
        logs = np.log(rng.random((CHAINS, count)))
        draws, accepted = advance(CODES[model], x, y, prior, sums, state, step, noise, logs)
        return draws, float(accepted)

    state, step = tuned(some, target.start() + 0.1 * rng.normal(size=(CHAINS, target.d)))

    def draw(count: int) -> np.ndarray:
        nonlocal state
        pieces = []
        most = max(1, MOST_NUMBERS // (CHAINS * target.d))
        for begin in range(0, count, most):
            draws, _ = some(state, step, min(most, count - begin))
            state = draws[:, -1]
            pieces.append(draws)
        return np.concatenate(pieces, axis=1)

    return summarised(target.constrain(sample_until(draw, effective, FIRST_DRAWS)))
