"""Whether a sequence still goes up or down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np


@dataclass(frozen=True)
class Trend:
    """A monotone trend over sequences.

    :param p_value: two-sided, of a Kendall statistic as large where every order is as likely.
    :param change: by how much the values change from a sequence's first to its last along the median slope, in their
        own unit (of logarithms: as a share).
    """

    p_value: float
    change: float


def monotone_trend(sequences: Sequence[np.ndarray]) -> Trend:
    """Mann-Kendall test with the slope of Theil and Sen; several sequences add up (Hirsch, Slack and Smith 1982).

    Correlation between neighbours makes the p-value too small. Time and memory grow with the square of the length.
    """
    statistic = variance = 0.0
    slopes = []
    for values in sequences:
        count = len(values)
        earlier, later = _pairs(count)
        differences = values[later] - values[earlier]
        statistic += float(np.sign(differences).sum())
        _, ties = np.unique(values, return_counts=True)
        variance += (count * (count - 1) * (2 * count + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
        slopes.append(differences / (later - earlier))
    if variance <= 0:
        return Trend(1.0, 0.0)
    score = max(abs(statistic) - 1, 0.0) / math.sqrt(variance)
    slope = float(np.median(np.concatenate(slopes)))
    return Trend(2 * NormalDist().cdf(-score), slope * (max(len(values) for values in sequences) - 1))


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(count, 1)
