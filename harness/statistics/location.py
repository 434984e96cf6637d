"""Where a quantity lies: medians for costs, means for scores."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, bootstrap, independent_values


def median_estimate(observations: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Median with a bootstrap interval.

    :raises ValueError: there are no observations.
    """
    if not observations:
        raise ValueError("no observations to take a median of")
    return bootstrap((independent_values(observations),), np.median, confidence)


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
    if scale == 0.0:
        return Estimate(mean, mean, mean, count)
    low, high = stats.t.interval(confidence, df=count - 1, loc=mean, scale=scale)
    return Estimate(mean, float(low), float(high), count)
