"""Two contestants against each other, block by block or seed by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.intervals import contrast_margin, pseudomedian_bounds, shift_bounds, too_few
from harness.statistics.location import mean_estimate
from harness.statistics.replicates import replicates


def paired_ratio(numerator: Observations, denominator: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Centre of the ratios within blocks, with an interval; only blocks in which both took part count.

    With five rounds or more it estimates the pseudomedian over processes (Hodges and Lehmann 1963, on logarithms) of
    a process's median ratio, with fewer the pseudomedian over the blocks that there are. Where the logarithm of the
    ratio scatters symmetrically, as it does when both sides suffer the same kind of noise, that is the median ratio.
    For equal contestants the symmetry is exact, so the interval misses 1 no more often than it says whatever the
    noise. Swapping the two sides inverts the estimate.

    :raises ValueError: there is no such block, or a value is not positive.
    """
    sample = replicates(log_ratios(numerator, denominator), "pseudomedian")
    count = len(sample.values)
    if count < 2:
        return Estimate.without_interval(math.exp(sample.values[0]), count)
    bounds = pseudomedian_bounds(sample.values, sample.effective_count, confidence)
    caution = joined(too_few(bounds, confidence, count), sample.caution)
    return Estimate(math.exp(bounds.value), math.exp(bounds.low), math.exp(bounds.high), count, caution)


def mean_ratio(pairs: Sequence[tuple[Observations, Observations]], confidence: float = CONFIDENCE) -> Estimate:
    """Geometric mean over workloads of the ratios of numerator to denominator, each as :func:`paired_ratio` has it.

    The intervals of the workloads are added as independent ones: each has its own processes.

    :raises ValueError: there is no pair, or one of which the sides share no block or have a value that is not positive.
    """
    if not pairs:
        raise ValueError("a mean of ratios needs at least one workload")
    samples = [replicates(log_ratios(*pair), "pseudomedian") for pair in pairs]
    count = sum(len(sample.values) for sample in samples)
    if any(len(sample.values) < 2 for sample in samples):
        centre = float(np.mean([float(np.median(sample.values)) for sample in samples]))
        return Estimate.without_interval(math.exp(centre), count)
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    values, lows, highs = (np.array([getattr(each, end) for each in bounds]) for end in ("value", "low", "high"))
    weights = np.full(len(bounds), 1 / len(bounds))
    degrees = np.array([sample.effective_count - 1 for sample in samples])
    centre = float(values.mean())
    low = centre - contrast_margin(weights, values - lows, degrees, confidence)
    high = centre + contrast_margin(weights, highs - values, degrees, confidence)
    caution = joined(*(sample.caution for sample in samples))
    return Estimate(math.exp(centre), math.exp(low), math.exp(high), count, caution)


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


def cost_difference(minuend: Observations, subtrahend: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Centre of the differences within blocks, in the unit of the observations, with an interval.

    As :func:`paired_ratio`, without logarithms: for costs so small that what one adds to the other is the question.

    :raises ValueError: the sides share no block.
    """
    shared = sorted(set(minuend) & set(subtrahend))
    if not shared:
        raise ValueError("the two sides share no block")
    sample = replicates({block: minuend[block] - subtrahend[block] for block in shared}, "pseudomedian")
    count = len(sample.values)
    if count < 2:
        return Estimate.without_interval(float(sample.values[0]), count)
    bounds = pseudomedian_bounds(sample.values, sample.effective_count, confidence)
    return Estimate(
        bounds.value, bounds.low, bounds.high, count, joined(too_few(bounds, confidence, count), sample.caution)
    )


def independent_ratio(numerator: Observations, denominator: Observations, confidence: float = CONFIDENCE) -> Estimate:
    """Ratio of two sides that were not measured in the same blocks, with an interval.

    It estimates the median ratio of a process of one side (its median block) to a process of the other, with fewer than
    five rounds of a block to a block; where one side's logarithms are the other's shifted, that is the ratio of the
    medians. For equal contestants the interval misses 1 no more often than it says whatever the noise (rank-sum test).

    :raises ValueError: a side is empty or a value is not positive.
    """
    sides = []
    for side in (numerator, denominator):
        if not side or not min(side.values()) > 0:
            raise ValueError("a ratio needs positive values on both sides")
        sides.append(replicates({block: math.log(value) for block, value in side.items()}, "pseudomedian"))
    above, below = sides
    count = len(above.values) + len(below.values)
    if min(len(above.values), len(below.values)) < 2:
        middles = [float(np.median(side.values)) for side in sides]
        return Estimate.without_interval(math.exp(middles[0] - middles[1]), count)
    bounds = shift_bounds(above.values, below.values, above.effective_count, below.effective_count, confidence)
    caution = joined(too_few(bounds, confidence, count), above.caution, below.caution)
    return Estimate(math.exp(bounds.value), math.exp(bounds.low), math.exp(bounds.high), count, caution)


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
