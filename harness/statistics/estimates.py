"""Estimates and the observations they are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Observations = Mapping[tuple[int, int], float]
"""Values by (round, block): a round is an independent process, a block the moment within it."""

CONFIDENCE = 0.95
RESAMPLES = 2000
FEWEST_ROUNDS = 5
_SEED = 20_130


@dataclass(frozen=True)
class Estimate:
    """A value with an interval; both ends are NaN where there is too little to form one.

    :param count: how many observations it rests on.
    """

    value: float
    low: float
    high: float
    count: int = 1

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A count, which has no uncertainty."""
        return cls(value, value, value)

    @classmethod
    def without_interval(cls, value: float, count: int) -> Estimate:
        return cls(value, math.nan, math.nan, count)

    @property
    def has_interval(self) -> bool:
        return not (math.isnan(self.low) or math.isnan(self.high))

    def scaled(self, factor: float) -> Estimate:
        """The estimate in another unit; ``factor`` is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.count)

    def inverted(self) -> Estimate:
        """The estimate of the reciprocal of a positive quantity."""
        return Estimate(1 / self.value, 1 / self.high, 1 / self.low, self.count)


def independent_values(observations: Observations) -> np.ndarray:
    """The values that an interval is resampled from.

    With enough rounds these are the rounds' medians, since samples of one process share its luck (addresses, page
    placement, the CPU it landed on); with fewer rounds all that can be had is the scatter over blocks.
    """
    rounds: dict[int, list[float]] = {}
    for (number, _), value in observations.items():
        rounds.setdefault(number, []).append(value)
    if len(rounds) >= FEWEST_ROUNDS:
        return np.array([np.median(values) for values in rounds.values()])
    return np.array(list(observations.values()), dtype=float)


def bootstrap(
    samples: tuple[np.ndarray, ...], statistic: Any, confidence: float = CONFIDENCE, *, log: bool = False
) -> Estimate:
    """Percentile bootstrap of ``statistic(*samples, axis=-1)``, each sample resampled on its own with a fixed seed.

    :param log: the samples are logarithms and so is the statistic; the estimate is of its exponential.
    """
    back = math.exp if log else float
    value = back(float(statistic(*samples, axis=-1)))
    count = sum(len(sample) for sample in samples)
    if any(len(sample) < 2 for sample in samples):
        return Estimate.without_interval(value, count)
    result = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(_SEED),
    )
    interval = result.confidence_interval
    return Estimate(value, back(float(interval.low)), back(float(interval.high)), count)
