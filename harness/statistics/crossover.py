"""Where one cost overtakes another along an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.statistics.comparisons import log_ratios
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.intervals import pseudomedian_bounds
from harness.statistics.replicates import Replicates, replicates


@dataclass(frozen=True)
class _Line:
    """Logarithm of the ratio at the places, straight in between, with the half widths of its interval on one side."""

    places: np.ndarray
    middles: np.ndarray
    margins: np.ndarray

    def first_reach(self) -> float:
        """Where middle plus signed margin first reaches zero; minus infinity if it starts there, infinity if never.

        Between two places the margins add as those of independent estimates do, so the end solves
        (m + s Δm)² = ((1-s) a)² + (s b)² for the share s of the way.
        """
        reached = np.flatnonzero(self.middles + self.margins >= 0)
        if not len(reached):
            return math.inf
        right = int(reached[0])
        if right == 0:
            return -math.inf
        left = right - 1
        start, step = float(self.middles[left]), float(self.middles[right] - self.middles[left])
        a, b = float(self.margins[left]), float(self.margins[right])
        share = _first_root(start, step, a, b)
        return float(self.places[left] + share * (self.places[right] - self.places[left]))


def crossover(
    axis: Sequence[float],
    numerators: Sequence[Observations],
    denominators: Sequence[Observations],
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The place on ``axis`` where the ratio of numerator to denominator first passes 1, log-linearly interpolated.

    The estimand is the crossing of the straight lines between the logarithms of the true ratios at the places. The
    interval holds the places at which a ratio of 1 is not rejected (Fieller 1954, Some problems in interval estimation,
    in its argument), up to the first place where the ratio is above 1 beyond doubt. A crossing beyond the last value is
    an interval from there to infinity, one before the first value an interval from minus infinity to there.

    :raises ValueError: the sides differ in length, share no block at a place, or hold a value that is not positive.
    """
    places = np.asarray(axis, dtype=float)
    samples = [
        replicates(log_ratios(numerator, denominator), "pseudomedian")
        for numerator, denominator in zip(numerators, denominators, strict=True)
    ]
    first, last = float(places[0]), float(places[-1])
    count = sum(len(sample.values) for sample in samples)
    if any(len(sample.values) < 2 for sample in samples):
        middles = np.array([float(np.median(sample.values)) for sample in samples])
        value = _Line(places, middles, np.zeros_like(middles)).first_reach()
        return Estimate.without_interval(min(max(value, first), last), count)
    return _crossing(places, samples, confidence)


def _crossing(places: np.ndarray, samples: list[Replicates], confidence: float) -> Estimate:
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    middles = np.array([each.value for each in bounds])
    above = np.array([each.high for each in bounds]) - middles
    below = np.array([each.low for each in bounds]) - middles
    value, low, high = (_Line(places, middles, side).first_reach() for side in (np.zeros_like(middles), above, below))
    first, last = float(places[0]), float(places[-1])
    return Estimate(
        value=min(max(value, first), last),
        low=min(low, last),
        high=max(high, first),
        count=sum(len(sample.values) for sample in samples),
        caution=joined(*(sample.caution for sample in samples)),
    )


def _first_root(start: float, step: float, a: float, b: float) -> float:
    """Least share in [0, 1] where start + share * step passes the combined margin of that share."""
    sign = -1.0 if a + b > 0 else 1.0

    def gap(share: np.ndarray) -> np.ndarray:
        return np.asarray(start + share * step - sign * np.hypot((1 - share) * a, share * b))

    left, right = 0.0, 1.0
    # Each pass keeps the first of 32 parts in which the sign changes: ten of them exhaust double precision.
    for _ in range(10):
        shares = np.linspace(left, right, 33)
        reached = np.flatnonzero(gap(shares) >= 0)
        index = int(reached[0]) if len(reached) else 32
        if index == 0:
            return float(shares[0])
        left, right = float(shares[index - 1]), float(shares[index])
    return right
