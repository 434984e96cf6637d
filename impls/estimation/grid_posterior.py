"""The posterior on a uniform grid: 1,001 points of one coordinate, 800 x 800 of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.estimation.grids import bulk, summarise
from impls.building_blocks.estimation.targets import Target
from suites.estimation.suite import SUITE

POINTS, POINTS_OF_TWO = 1_001, 800
WIDER = (3.0, 1.2)


@implements(
    SUITE,
    dtypes=("float64",),
    kind="grid",
    limits={"model": ("bernoulli", "gaussian", "logistic"), "goal": ("posterior",), "d": 1},
)
def estimate(
    x: Any, y: Any, model: str, goal: str, prior: Any, unpenalised: int, effective: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    target = Target(np, x, y, model, prior)
    middle = target.start()
    if target.d == 1:
        places = bulk(lambda u: target.log_density(u[:, None]), middle[0], POINTS)
        found = summarise(places, target.log_density(places[:, None]), target.constrain)[:, None]
        return found[0], found[1:]

    def along(axis: int) -> np.ndarray:
        def log_density(u: np.ndarray) -> np.ndarray:
            points = np.tile(middle, (len(u), 1))
            points[:, axis] = u
            # The second moment of the variance gives its tail the weight e^2u.
            return np.asarray(target.log_density(points) + (2 * u if axis == 1 else 0.0))

        places = bulk(log_density, middle[axis], POINTS_OF_TWO)
        # Seen from the mode a mean has lighter tails than when the variance is unknown.
        return np.asarray(middle[axis] + WIDER[axis] * (places - middle[axis]))

    means, logs = along(0), along(1)
    table = target.log_density(np.stack(np.meshgrid(means, logs, indexing="ij"), axis=-1).reshape(-1, 2))
    table = table.reshape(len(means), len(logs))
    of_mean = np.log(np.exp(table - table.max()).sum(axis=1) + 1e-300)
    of_log = np.log(np.exp(table - table.max()).sum(axis=0) + 1e-300)
    found = np.stack([summarise(means, of_mean, lambda u: u), summarise(logs, of_log, np.exp)], axis=1)
    return found[0], found[1:]
