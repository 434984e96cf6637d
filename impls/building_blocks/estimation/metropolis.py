"""What both versions of random-walk Metropolis share: the tuning of the step (Roberts, Gelman and Gilks 1997)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CHAINS = 4
TUNING_STEPS = 200
WARM_UP_STEPS = 10
"""Per dimension, after tuning."""
FIRST_DRAWS = 500
Advance = Callable[[np.ndarray, float, int], tuple[np.ndarray, float]]
"""State (chains, d), step and count to draws (chains, count, d) and the share that was accepted."""


def wanted_acceptance(d: int) -> float:
    """The acceptance at which a random walk moves fastest: 0.44 in one dimension, 0.234 in many."""
    return 0.44 if d == 1 else 0.234 + 0.2 / d**2


def tuned(advance: Advance, start: np.ndarray) -> tuple[np.ndarray, float]:
    """A state (chains, d) of the stationary distribution, nearly, and the step of about the wanted acceptance.

    The step follows its acceptance with changes that shrink, then the chains forget where they came from.
    """
    d = start.shape[1]
    state, step = start, 2.38 / np.sqrt(d)
    for turn in range(1, 31):
        draws, accepted = advance(state, step, TUNING_STEPS)
        state = draws[:, -1]
        step *= float(np.exp((accepted - wanted_acceptance(d)) * 4 / np.sqrt(turn)))
    draws, _ = advance(state, step, WARM_UP_STEPS * d + TUNING_STEPS)
    return draws[:, -1], step
