"""How well costs follow a model: constants fitted to some workloads, and the error at others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.replicates import replicates

Point = tuple[Sequence[float], Observations]
"""How often each constant counts at a workload, and what was measured there."""

RESAMPLES = 2000
_SEED = 20_011
_FEWEST_REPLICATES = 3


def prediction_error(fitted: Sequence[Point], held_out: Sequence[Point], confidence: float = CONFIDENCE) -> Estimate:
    """Median of |predicted / measured - 1| over workloads that the model's constants were not fitted to.

    A cost is the sum of constants, none negative, times how often each counts. They minimise the squares of the
    relative residuals, so that small costs weigh as much as large ones. The cost at a workload is the median over
    processes where there are five rounds or more, otherwise over blocks. The interval is the percentile bootstrap over
    those, drawn anew at each workload (2,000 times, with a fixed seed), fit and error together.

    :raises ValueError: fewer workloads than constants, none held out, or a cost that is not positive.
    """
    points = [*fitted, *held_out]
    counts = np.array([count for count, _ in points], dtype=float)
    if not held_out or len(fitted) < counts.shape[1]:
        raise ValueError(f"{counts.shape[1]} constants need as many workloads to fit and one to predict")
    if any(not costs or not min(costs.values()) > 0 for _, costs in points):
        raise ValueError("a model's error needs positive costs")
    samples = [replicates(costs, "median") for _, costs in points]
    middles = np.array([[np.median(sample.values) for sample in samples]])
    value = float(_errors(counts, middles, len(fitted))[0])
    total = sum(len(sample.values) for sample in samples)
    if min(len(sample.values) for sample in samples) < _FEWEST_REPLICATES:
        return Estimate.without_interval(value, total)
    rng = np.random.default_rng(_SEED)
    drawn = np.column_stack(
        [np.median(rng.choice(sample.values, size=(RESAMPLES, len(sample.values))), axis=1) for sample in samples]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(_errors(counts, drawn, len(fitted)), [tail, 1 - tail])
    caution = joined(*(sample.caution for sample in samples[:1]))
    return Estimate(value, min(value, float(low)), max(value, float(high)), total, caution)


def _errors(counts: np.ndarray, costs: np.ndarray, fitted: int) -> np.ndarray:
    """For each row of ``costs`` the median error at the workloads after the first ``fitted``."""
    constants = fit_relative(counts[:fitted], costs[:, :fitted])
    predicted = constants @ counts[fitted:].T
    return np.asarray(np.median(np.abs(predicted / costs[:, fitted:] - 1), axis=1))


def fit_relative(counts: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Constants (rows, k), none negative, with the least sum of squared relative residuals, row by row.

    With few constants the best choice of those that are zero is found by trying all.

    :param counts: (points, k).
    :param costs: (rows, points).
    """
    rows, width = len(costs), counts.shape[1]
    # Constants may differ by many powers of ten; in units of their own the equations are well conditioned.
    units = counts.max(axis=0)
    units[units == 0] = 1.0
    relative = counts / units / costs[..., None]
    best, least = np.zeros((rows, width)), np.full(rows, math.inf)
    for size in range(1, width + 1):
        for chosen in combinations(range(width), size):
            part = relative[..., chosen]
            normal = np.swapaxes(part, 1, 2) @ part
            scale = np.trace(normal, axis1=1, axis2=2)[:, None, None]
            ridge = 1e-14 * scale * np.eye(size)
            found = np.linalg.solve(normal + ridge, part.sum(axis=1)[..., None])[..., 0]
            squares = ((np.einsum("rpk,rk->rp", part, found) - 1) ** 2).sum(axis=1)
            better = (squares < least) & np.all(found >= 0, axis=1)
            least[better] = squares[better]
            best[np.ix_(better, chosen)] = found[better]
            others = [index for index in range(width) if index not in chosen]
            best[np.ix_(better, others)] = 0.0
    return np.asarray(best / units)
