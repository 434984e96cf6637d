"""How a cost, or the ratio of two, grows along an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness.statistics.comparisons import log_ratios
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.intervals import Bounds, contrast_margin, pseudomedian_bounds
from harness.statistics.quantiles import student_quantile
from harness.statistics.replicates import Replicates, replicates


def growth_exponent(costs: Mapping[float, Observations], confidence: float = CONFIDENCE) -> Estimate:
    """Least-squares slope of the logarithm of the cost on the logarithm of the size, with an interval.

    It estimates the slope through the pseudomedians of the logarithms at exactly these sizes: the exponent where costs
    follow a power law and their relative noise is symmetric or alike at all sizes; where they bend, an average over the
    sizes, which the caution then says. The cost at a size is taken over processes where there are five rounds or more,
    otherwise over blocks; the interval adds the intervals at the sizes as independent ones (each size has its own
    processes). Costs without scatter (counts, one observation per size) give the t interval of the fit's own residuals.

    :raises ValueError: fewer than three sizes, or a size or cost that is not positive.
    """
    sizes = sorted(costs)
    if len(sizes) < 3:
        raise ValueError(f"an exponent needs at least three sizes, not {len(sizes)}")
    if sizes[0] <= 0 or not all(costs[size] and min(costs[size].values()) > 0 for size in sizes):
        raise ValueError("an exponent needs positive sizes and costs")
    logs = [{block: math.log(cost) for block, cost in costs[size].items()} for size in sizes]
    samples = [replicates(each, "pseudomedian") for each in logs]
    places = np.log(np.array(sizes, dtype=float))
    if any(len(sample.values) < 2 for sample in samples):
        return _fitted_slope(places, np.array([float(np.median(sample.values)) for sample in samples]), confidence)
    slope, bend = slope_over_samples(places, samples, confidence)
    bent = f"the costs bend away from a power law by up to {math.expm1(bend):.0%}" if bend else ""
    return replace(slope, caution=joined(bent, slope.caution))


def cost_slope(costs: Mapping[float, Observations], confidence: float = CONFIDENCE) -> Estimate:
    """Least-squares slope of the cost on the size itself, in the cost's unit per unit of size, with an interval.

    As :func:`growth_exponent` without logarithms: for costs with a part that does not grow. Sizes may be 0.

    :raises ValueError: fewer than three sizes, or one without an observation.
    """
    sizes = sorted(costs)
    if len(sizes) < 3 or not all(costs[size] for size in sizes):
        raise ValueError(f"a slope needs observations at three sizes at least, not {sizes}")
    places = np.array(sizes, dtype=float)
    samples = [replicates(costs[size], "pseudomedian") for size in sizes]
    if any(len(sample.values) < 2 for sample in samples):
        return _fitted_slope(places, np.array([float(np.median(sample.values)) for sample in samples]), confidence)
    slope, bend = slope_over_samples(places, samples, confidence)
    bent = f"the costs lie up to {bend:.2g} from a straight line" if bend else ""
    return replace(slope, caution=joined(bent, slope.caution))


def growth_of_ratio(
    numerator: Mapping[float, Observations], denominator: Mapping[float, Observations], confidence: float = CONFIDENCE
) -> Estimate:
    """Exponent with which the ratio within blocks grows, by :func:`growth_exponent` of the ratios.

    What slows both sides of a block alike is not in the interval.

    :raises ValueError: the two sides share no block at a size, or see :func:`growth_exponent`.
    """
    return growth_exponent(
        {
            size: {block: math.exp(ratio) for block, ratio in log_ratios(costs, denominator[size]).items()}
            for size, costs in numerator.items()
        },
        confidence,
    )


def ratio_trend(
    numerator: Mapping[float, Observations], denominator: Mapping[float, Observations], confidence: float = CONFIDENCE
) -> Estimate:
    """Least-squares slope of the cost ratio of two sides on the binary logarithm of the size, with an interval.

    The ratio at a size is taken within blocks, over processes where there are five rounds or more; the intervals at the
    sizes are added as independent ones, as in :func:`growth_exponent`.

    :param numerator: costs by size, as is ``denominator``.
    :raises ValueError: fewer than three sizes, a size or a cost that is not positive, or sides that share no block.
    """
    sizes = sorted(numerator)
    if len(sizes) < 3 or sizes[0] <= 0:
        raise ValueError(f"a trend needs at least three positive sizes, not {sizes}")
    places = np.log2(np.array(sizes, dtype=float))
    logs = [log_ratios(numerator[size], denominator[size]) for size in sizes]
    samples = [replicates({block: math.exp(log) for block, log in each.items()}, "pseudomedian") for each in logs]
    if any(len(sample.values) < 2 for sample in samples):
        return _fitted_slope(places, np.array([float(np.median(sample.values)) for sample in samples]), confidence)
    slope, bend = slope_over_samples(places, samples, confidence)
    bent = f"the ratios lie up to {bend:.2g} from a straight line" if bend else ""
    return replace(slope, caution=joined(bent, slope.caution))


def slope_over_samples(places: np.ndarray, samples: list[Replicates], confidence: float) -> tuple[Estimate, float]:
    """The slope through the pseudomedians, and how far a size lies from the line where intervals do not allow it."""
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    return slope_over_bounds(places, bounds, samples, confidence)


def slope_over_bounds(
    places: np.ndarray, bounds: list[Bounds], samples: list[Replicates], confidence: float
) -> tuple[Estimate, float]:
    """The same of given locations and intervals, such as the logarithms of those of ``samples``."""
    degrees = np.array([sample.effective_count - 1 for sample in samples])
    middles = np.array([each.value for each in bounds])
    to_low = middles - np.array([each.low for each in bounds])
    to_high = np.array([each.high for each in bounds]) - middles
    centred = places - places.mean()
    weights = centred / (centred @ centred)
    slope = float(weights @ middles)
    # A smaller slope means larger values at small sizes and smaller ones at large, so each end takes the other side.
    low = slope - contrast_margin(weights, np.where(weights > 0, to_low, to_high), degrees, confidence)
    high = slope + contrast_margin(weights, np.where(weights > 0, to_high, to_low), degrees, confidence)
    residuals = middles - middles.mean() - slope * centred
    caution = joined(*(sample.caution for sample in samples))
    estimate = Estimate(slope, low, high, sum(len(sample.values) for sample in samples), caution)
    return estimate, _bend(residuals, (to_low + to_high) / 2)


def _bend(residuals: np.ndarray, margins: np.ndarray) -> float:
    """The largest residual where one is larger than its own interval and those of all others allow, else 0."""
    allowed = math.sqrt(2.0) * margins
    return float(np.abs(residuals).max()) if np.any(np.abs(residuals) > allowed + 1e-12) else 0.0


def _fitted_slope(places: np.ndarray, values: np.ndarray, confidence: float) -> Estimate:
    centred = places - places.mean()
    slope = float(centred @ values / (centred @ centred))
    residuals = values - values.mean() - slope * centred
    degrees = len(places) - 2
    error = math.sqrt(float(residuals @ residuals) / degrees / float(centred @ centred))
    margin = student_quantile(confidence, degrees) * error
    return Estimate(slope, slope - margin, slope + margin, len(places))
