"""Where a quantity lies: medians for costs, means for scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.intervals import median_bounds, too_few
from harness.statistics.quantiles import student_quantile
from harness.statistics.replicates import replicates


def median_estimate(observations: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Median with an interval, in the unit of the observations.

    With five rounds or more it estimates the median over processes of a process's median block, and the interval
    counts processes; it is right for any distribution of the processes (sign test). With fewer it estimates the
    median block of the processes that there are, and the interval counts blocks, fewer where they are correlated (see
    :func:`harness.statistics.replicates.replicates`). With too few values for ranks it also covers Student's interval,
    of the logarithms where all values are positive.

    :raises ValueError: there are no observations.
    """
    if not observations:
        raise ValueError("no observations to take a median of")
    sample = replicates(observations, "median")
    count = len(sample.values)
    if count < 2:
        return Estimate.without_interval(float(sample.values[0]), count)
    bounds = median_bounds(sample.values, sample.effective_count, confidence)
    caution = joined(too_few(bounds, confidence, count), sample.caution)
    return Estimate(bounds.value, bounds.low, bounds.high, count, caution)


def mean_estimate(values: Sequence[float], confidence: float = CONFIDENCE, test_share: float | None = None) -> Estimate:
    """Mean with Student's interval; a single value is a count and exact.

    :param test_share: n_test/n_train of overlapping training sets; the variance of the mean is then
        (1/J + n_test/n_train) s² instead of s²/J (Nadeau and Bengio 2003, Inference for the Generalization Error).
    :raises ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("no values to take a mean of")
    if len(values) == 1:
        return Estimate.exact(float(values[0]))
    sample = np.asarray(values, dtype=float)
    count = len(sample)
    mean = float(sample.mean())
    scale = math.sqrt((1 / count + (test_share or 0.0)) * float(sample.var(ddof=1)))
    margin = student_quantile(confidence, count - 1) * scale
    return Estimate(mean, mean - margin, mean + margin, count)
