"""Two contestants against each other, block by block or seed by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, bootstrap, independent_values
from harness.statistics.location import mean_estimate


def paired_ratio(numerator: Observations, denominator: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Median of the ratios within blocks, with a bootstrap interval.

    Only blocks in which both took part count; the resampling is of the logarithms, so that swapping the two sides
    inverts the estimate.

    :raises ValueError: there is no such block, or a value is not positive.
    """
    return bootstrap((independent_values(log_ratios(numerator, denominator)),), np.median, confidence, log=True)


def log_ratios(numerator: Observations, denominator: Observations) -> dict[tuple[int, int], float]:
    """Logarithm of numerator over denominator in every block that has both."""
    shared = sorted(set(numerator) & set(denominator))
    if not shared:
        raise ValueError("the two sides share no block")
    for side in (numerator, denominator):
        for block in shared:
            if not side[block] > 0:
                raise ValueError(f"a ratio needs positive values, block {block} has {side[block]}")
    return {block: math.log(numerator[block] / denominator[block]) for block in shared}


def independent_ratio(numerator: Observations, denominator: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Ratio of the medians of two sides that were not measured in the same blocks, with a bootstrap interval.

    :raises ValueError: a side is empty or a value is not positive.
    """
    sides = [independent_values(side) for side in (numerator, denominator)]
    for side in sides:
        if not len(side) or np.any(side <= 0):
            raise ValueError("a ratio needs positive values on both sides")

    def difference(above: np.ndarray, below: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(np.median(above, axis=axis) - np.median(below, axis=axis))

    return bootstrap((np.log(sides[0]), np.log(sides[1])), difference, confidence, log=True)


def paired_differences(
    minuend: Sequence[float],
    subtrahend: Sequence[float],
    confidence: float = CONFIDENCE,
    test_share: float | None = None,
) -> Estimate:
    """Mean of the differences pair by pair, with Student's interval (see :func:`mean_estimate`).

    :raises ValueError: the two sides differ in length.
    """
    if len(minuend) != len(subtrahend):
        raise ValueError(f"pairs need as many values on both sides, not {len(minuend)} and {len(subtrahend)}")
    return mean_estimate([a - b for a, b in zip(minuend, subtrahend, strict=True)], confidence, test_share)
