"""How a cost grows along an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from harness.statistics.comparisons import log_ratios
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.intervals import contrast_margin, pseudomedian_bounds
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
        return _fitted_exponent(places, np.array([float(np.median(sample.values)) for sample in samples]), confidence)
    return _exponent_over_samples(places, samples, confidence)


def ratio_growth_exponent(
    numerator: Mapping[float, Observations], denominator: Mapping[float, Observations], confidence: float = CONFIDENCE
) -> Estimate:
    """The exponent with which the ratio of two costs grows, from the ratios within blocks at each size.

    See :func:`growth_exponent`, which takes the ratios in place of costs.

    :raises ValueError: fewer than three sizes, no block with both sides at a size, or a value that is not positive.
    """
    ratios = {
        size: {block: math.exp(value) for block, value in log_ratios(numerator[size], denominator[size]).items()}
        for size in numerator
    }
    return growth_exponent(ratios, confidence)


def _exponent_over_samples(places: np.ndarray, samples: list[Replicates], confidence: float) -> Estimate:
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    degrees = np.array([sample.effective_count - 1 for sample in samples])
    middles = np.array([each.value for each in bounds])
    to_low = middles - np.array([each.low for each in bounds])
    to_high = np.array([each.high for each in bounds]) - middles
    centred = places - places.mean()
    weights = centred / (centred @ centred)
    exponent = float(weights @ middles)
    # A smaller exponent means dearer small sizes and cheaper large ones, so each end takes the other side there.
    low = exponent - contrast_margin(weights, np.where(weights > 0, to_low, to_high), degrees, confidence)
    high = exponent + contrast_margin(weights, np.where(weights > 0, to_high, to_low), degrees, confidence)
    residuals = middles - middles.mean() - exponent * centred
    caution = joined(_bent(residuals, (to_low + to_high) / 2), *(sample.caution for sample in samples))
    return Estimate(exponent, low, high, sum(len(sample.values) for sample in samples), caution)


def _bent(residuals: np.ndarray, margins: np.ndarray) -> str:
    """A caution where a size lies further from the power law than its own interval and those of all others allow."""
    allowed = math.sqrt(2.0) * margins
    if not np.any(np.abs(residuals) > allowed + 1e-12):
        return ""
    return f"the costs bend away from a power law by up to {math.expm1(float(np.abs(residuals).max())):.0%}"


def _fitted_exponent(places: np.ndarray, log_costs: np.ndarray, confidence: float) -> Estimate:
    centred = places - places.mean()
    slope = float(centred @ log_costs / (centred @ centred))
    residuals = log_costs - log_costs.mean() - slope * centred
    degrees = len(places) - 2
    error = math.sqrt(float(residuals @ residuals) / degrees / float(centred @ centred))
    margin = student_quantile(confidence, degrees) * error
    return Estimate(slope, slope - margin, slope + margin, len(places))
