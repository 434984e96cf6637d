"""Random-walk Metropolis in Numba, with the log posteriors of the suite's models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

BERNOULLI, GAUSSIAN, LINEAR, LOGISTIC = range(4)
CODES = {"bernoulli": BERNOULLI, "gaussian": GAUSSIAN, "linear": LINEAR, "logistic": LOGISTIC}


@njit(cache=True)
def _softplus(z: float) -> Any:
    return math.log1p(math.exp(-abs(z))) + max(z, 0.0)


@njit(cache=True)
def log_density(code: int, u: Any, x: Any, y: Any, prior: Any, sums: Any) -> Any:
    """As :class:`impls.building_blocks.estimation.targets.Target` has it; ``sums`` holds n, the sum and the sum of
    squares of y."""
    n, total, squares = sums
    if code == BERNOULLI:
        return -(total + prior[0]) * _softplus(-u[0]) - (n - total + prior[1]) * _softplus(u[0])
    if code == GAUSSIAN:
        offset = prior[0] - u[0]
        spread = squares - 2 * u[0] * total + n * u[0] * u[0] + 2 * prior[3] + prior[1] * offset * offset
        return -((n + 1) / 2 + prior[2]) * u[1] - spread * math.exp(-u[1]) / 2
    lengths = 0.0
    for j in range(len(u)):
        lengths += u[j] * u[j]
    value = 0.0
    for i in range(len(y)):
        z = 0.0
        for j in range(len(u)):
            z += x[i, j] * u[j]
        if code == LINEAR:
            value -= (y[i] - z) * (y[i] - z) / (2 * prior[0])
        else:
            value += y[i] * z - _softplus(z)
    return value - lengths / (2 * prior[-1])


@njit(cache=True, parallel=True)
def advance(
    code: int, x: Any, y: Any, prior: Any, sums: Any, state: Any, step: float, noise: Any, logs: Any
) -> tuple[Any, float]:
    """Draws (chains, count, d) and the share that was accepted, from standard normal ``noise`` of that shape and the
    logarithms of uniform numbers (chains, count)."""
    chains, count, d = noise.shape
    draws = np.empty((chains, count, d))
    accepted = np.zeros(chains)
    for chain in prange(chains):
        here = state[chain].copy()
        value = log_density(code, here, x, y, prior, sums)
        there = np.empty(d)
        for turn in range(count):
            for j in range(d):
                there[j] = here[j] + step * noise[chain, turn, j]
            proposed = log_density(code, there, x, y, prior, sums)
            if logs[chain, turn] < proposed - value:
                value = proposed
                for j in range(d):
                    here[j] = there[j]
                accepted[chain] += 1
            for j in range(d):
                draws[chain, turn, j] = here[j]
    return draws, accepted.sum() / (chains * count)
