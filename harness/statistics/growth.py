"""How a cost grows along an axis, and where one overtakes another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from harness.statistics.comparisons import log_ratios
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, bootstrap, independent_values

# Stands for infinity while quantiles are interpolated, where the difference of two infinities would be NaN.
_BEYOND = 1e100


def growth_exponent(costs: Mapping[float, Observations], confidence: float = CONFIDENCE) -> Estimate:
    """Least-squares slope of the logarithm of the median cost on the logarithm of the size, with a bootstrap interval.

    Costs without scatter (counts, one observation per size) give the slope with the t interval of the fit's own
    residuals.

    :raises ValueError: fewer than three sizes, or a size or cost that is not positive.
    """
    sizes = sorted(costs)
    if len(sizes) < 3:
        raise ValueError(f"an exponent needs at least three sizes, not {len(sizes)}")
    samples = tuple(independent_values(costs[size]) for size in sizes)
    if sizes[0] <= 0 or any(np.any(sample <= 0) for sample in samples):
        raise ValueError("an exponent needs positive sizes and costs")
    log_sizes = np.log(np.array(sizes, dtype=float))
    if any(len(sample) < 2 for sample in samples):
        return _fitted_exponent(log_sizes, np.log([float(np.median(sample)) for sample in samples]), confidence)

    def slope(*resampled: np.ndarray, axis: int) -> np.ndarray:
        medians = np.stack([np.log(np.median(sample, axis=axis)) for sample in resampled], axis=-1)
        centred = log_sizes - log_sizes.mean()
        return np.asarray((medians * centred).sum(axis=-1) / (centred**2).sum())

    return bootstrap(samples, slope, confidence)


def _fitted_exponent(log_sizes: np.ndarray, log_costs: np.ndarray, confidence: float) -> Estimate:
    fit = stats.linregress(log_sizes, log_costs)
    margin = float(stats.t.ppf((1 + confidence) / 2, df=len(log_sizes) - 2) * fit.stderr)
    return Estimate(float(fit.slope), float(fit.slope) - margin, float(fit.slope) + margin, len(log_sizes))


def crossover(
    axis: Sequence[float],
    numerators: Sequence[Observations],
    denominators: Sequence[Observations],
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The place on ``axis`` where the ratio of numerator to denominator first passes 1, log-linearly interpolated.

    A crossing beyond the last value is an interval from there to infinity, one before the first value an interval from
    minus infinity to there.
    """
    places = np.asarray(axis, dtype=float)
    samples = tuple(
        independent_values(log_ratios(numerator, denominator))
        for numerator, denominator in zip(numerators, denominators, strict=True)
    )

    def first_crossing(*resampled: np.ndarray, axis: int) -> np.ndarray:
        ratios = np.stack([np.median(sample, axis=axis) for sample in resampled], axis=-1)
        return np.apply_along_axis(_crossing, -1, ratios, places)

    estimate = bootstrap(samples, first_crossing, confidence)
    first, last = float(places[0]), float(places[-1])
    return Estimate(
        value=min(max(estimate.value, first), last),
        low=_open_end(min(last, estimate.low)),
        high=_open_end(max(first, estimate.high)),
        count=estimate.count,
    )


def _open_end(place: float) -> float:
    return math.copysign(math.inf, place) if abs(place) >= _BEYOND / 2 else place


def _crossing(ratios: np.ndarray, places: np.ndarray) -> float:
    above = ratios >= 0
    if above[0]:
        return -_BEYOND
    if not above.any():
        return _BEYOND
    right = int(np.argmax(above))
    left = right - 1
    share = -ratios[left] / (ratios[right] - ratios[left])
    return float(places[left] + share * (places[right] - places[left]))
