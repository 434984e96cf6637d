"""Intervals of figures of which others kept only a summary."""

from __future__ import annotations

import math

from harness.statistics.estimates import CONFIDENCE, Estimate, joined
from harness.statistics.quantiles import student_quantile

FEWEST_FOR_QUARTILES = 7
"""Quartiles of fewer values are hardly more than the values themselves."""

# The quartiles' distance tells a normal sample's scatter as well as this share of the values' own would.
_QUARTILE_EFFICIENCY = 0.37
_LARGEST_LOG = 600.0
# The standard error of a normal sample's median, sqrt(pi/2) sigma / sqrt(n), in units of its quartiles' distance from
# the median, 0.6745 sigma (McGill, Tukey and Larsen 1978, Variations of box plots).
_ERROR_PER_QUARTILE = math.sqrt(math.pi / 2) / 0.6744897501960817


def quartile_estimate(
    median: float, lower: float, upper: float, count: int, confidence: float = CONFIDENCE
) -> Estimate:
    """Median of ``count`` values of which only the quartiles were kept, with an interval in the same unit.

    How far the values depend on each other cannot be known any more. So the interval is the notch of a box plot, which
    takes their logarithms for independent and normal, with Student's quantile since quartiles of few values are rough;
    but it is never narrower than the quartiles themselves: at 95 % that is right as long as many values together say as
    much as seven independent ones. Without an interval where there are fewer than seven values, or the three numbers
    are not positive and in order.
    """
    if count < FEWEST_FOR_QUARTILES or not 0 < lower <= median <= upper:
        return Estimate.without_interval(median, count)
    quantile = student_quantile(confidence, _QUARTILE_EFFICIENCY * (count - 1))
    notch = quantile * _ERROR_PER_QUARTILE / math.sqrt(count) * math.log(upper / lower) / 2
    factor = math.exp(min(notch, _LARGEST_LOG))
    return Estimate(
        median,
        min(lower, median / factor),
        max(upper, median * factor),
        count,
        f"only the quartiles of {count} values were stored, and not how far they depend on each other: "
        "the interval is as wide as the quartiles at least",
    )


def ratio_of_estimates(numerator: Estimate, denominator: Estimate) -> Estimate:
    """Ratio of two positive quantities from an interval of each.

    The interval runs from the least to the largest ratio of values within both. It holds when both do, so that two
    intervals of confidence 1 - a/2 give one of 1 - a at least.

    :raises ValueError: a value is not positive.
    """
    if not (numerator.value > 0 and denominator.value > 0):
        raise ValueError("a ratio needs positive values on both sides")
    value, count = numerator.value / denominator.value, numerator.count + denominator.count
    caution = joined(numerator.caution, denominator.caution)
    if not (numerator.has_interval and denominator.has_interval and min(numerator.low, denominator.low) > 0):
        return Estimate(value, math.nan, math.nan, count, caution)
    return Estimate(value, numerator.low / denominator.high, numerator.high / denominator.low, count, caution)
