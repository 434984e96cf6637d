"""Whether one cost is another plus a constant."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.statistics.crossover import crossover
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations, joined
from harness.statistics.growth import slope_over_bounds, slope_over_samples
from harness.statistics.intervals import Bounds, contrast_margin, pseudomedian_bounds
from harness.statistics.replicates import Replicates, replicates

Figure = Literal["slope", "spread", "crossing", "prediction", "growth"]

NARROW = 0.5
"""A difference counts where its interval is narrower than this share of it."""


@dataclass(frozen=True)
class _Place:
    """One size: what the cheaper side costs, and the differences there."""

    cost: float
    differences: Replicates


def constant_overhead(
    minuend: Mapping[float, Observations],
    subtrahend: Mapping[float, Observations],
    figure: Figure,
    share: float = 0.05,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """One figure of the model t_minuend = t_subtrahend + constant, with an interval.

    Differences are taken within blocks, over processes where there are five rounds or more, and the sizes are
    independent of each other. ``slope``: of the least-squares line through the differences on the subtrahend's cost,
    whose own error is left out, being small beside the range of costs. ``spread``: largest over smallest difference;
    the interval is that of intervals which hold together at all sizes (Bonferroni), so it is rather too wide.
    ``crossing``: the subtrahend's cost at which the ratio falls to 1 + share, the logarithm of the ratio being
    straight in the reciprocal of the cost between two sizes, as the model has it for small overheads. ``prediction``:
    the same over mean difference / share; the interval takes either side's at half the error. ``growth``: the slope of
    the logarithm of the difference on that of the size.

    :param minuend: costs by size, as is ``subtrahend``.
    :raises ValueError: fewer than three sizes, sides that share no block, a single block, no two differences that are
        known to :data:`NARROW`, or for ``growth`` one that may be none.
    """
    places = _places(minuend, subtrahend)
    if figure == "slope":
        costs = np.array([place.cost for place in places.values()])
        slope, _ = slope_over_samples(costs, [place.differences for place in places.values()], confidence)
        return slope
    if figure == "growth":
        return _growth(places, confidence)
    if figure == "spread":
        return _spread(_narrow(places, confidence), confidence)
    if figure == "crossing":
        return _crossing(places, minuend, subtrahend, share, confidence)
    half = 1 - (1 - confidence) / 2
    crossing = _crossing(places, minuend, subtrahend, share, half)
    mean = _mean(_narrow(places, confidence), half)
    return Estimate(
        crossing.value * share / mean.value,
        crossing.low * share / mean.high,
        crossing.high * share / mean.low if mean.low > 0 else math.inf,
        crossing.count,
        joined(crossing.caution, mean.caution),
    )


def _places(minuend: Mapping[float, Observations], subtrahend: Mapping[float, Observations]) -> dict[float, _Place]:
    """By size, in the order of the subtrahend's cost."""
    if len(minuend) < 3:
        raise ValueError(f"a constant overhead needs at least three sizes, not {len(minuend)}")
    places = {}
    for size, above in minuend.items():
        below = subtrahend[size]
        shared = sorted(set(above) & set(below))
        if len(shared) < 2:
            raise ValueError(f"at {size:g} the two sides share {len(shared)} blocks")
        cost = replicates({block: below[block] for block in shared}, "median")
        differences = replicates({block: above[block] - below[block] for block in shared}, "pseudomedian")
        places[size] = _Place(float(np.median(cost.values)), differences)
    return dict(sorted(places.items(), key=lambda item: item[1].cost))


def _narrow(places: Mapping[float, _Place], confidence: float) -> list[Replicates]:
    """The differences that are known well enough."""
    narrow = []
    for place in places.values():
        bounds = pseudomedian_bounds(place.differences.values, place.differences.effective_count, confidence)
        if bounds.high - bounds.low < NARROW * abs(bounds.value):
            narrow.append(place.differences)
    if len(narrow) < 2:
        raise ValueError(
            f"the overhead is known to {NARROW:.0%} at {len(narrow)} of {len(places)} sizes; two are needed"
        )
    return narrow


def _growth(places: Mapping[float, _Place], confidence: float) -> Estimate:
    sizes = sorted(places)
    samples = [places[size].differences for size in sizes]
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    for size, each in zip(sizes, bounds, strict=True):
        if each.low <= 0:
            raise ValueError(f"an overhead that grows is positive; at {size:g} its interval begins at {each.low:.3g}")
    logarithms = [
        Bounds(math.log(each.value), math.log(each.low), math.log(each.high), each.guaranteed) for each in bounds
    ]
    slope, _ = slope_over_bounds(np.log(np.array(sizes, dtype=float)), logarithms, samples, confidence)
    return slope


def _spread(samples: list[Replicates], confidence: float) -> Estimate:
    together = 1 - (1 - confidence) / len(samples)
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, together) for sample in samples]
    sign = math.copysign(1.0, bounds[0].value)
    values = [sign * each.value for each in bounds]
    ends = [sorted((sign * each.low, sign * each.high)) for each in bounds]
    count = sum(len(sample.values) for sample in samples)
    if min(values) <= 0:
        return Estimate(math.inf, math.inf, math.inf, count, "the overhead has both signs")
    largest_low, largest_high = max(low for low, _ in ends), max(high for _, high in ends)
    least_low, least_high = min(low for low, _ in ends), min(high for _, high in ends)
    high = largest_high / least_low if least_low > 0 else math.inf
    caution = joined(*(sample.caution for sample in samples))
    return Estimate(max(values) / min(values), max(1.0, largest_low / least_high), high, count, caution)


def _mean(samples: list[Replicates], confidence: float) -> Estimate:
    bounds = [pseudomedian_bounds(sample.values, sample.effective_count, confidence) for sample in samples]
    weights = np.full(len(samples), 1 / len(samples))
    degrees = np.array([sample.effective_count - 1 for sample in samples])
    values = np.array([each.value for each in bounds])
    to_low, to_high = values - [each.low for each in bounds], np.array([each.high for each in bounds]) - values
    value = float(weights @ values)
    if value <= 0:
        raise ValueError(f"the overhead is {value:.3g}, so that no cost is large beside it")
    return Estimate(
        value,
        value - contrast_margin(weights, to_low, degrees, confidence),
        value + contrast_margin(weights, to_high, degrees, confidence),
        sum(len(sample.values) for sample in samples),
        joined(*(sample.caution for sample in samples)),
    )


def _crossing(
    places: Mapping[float, _Place],
    minuend: Mapping[float, Observations],
    subtrahend: Mapping[float, Observations],
    share: float,
    confidence: float,
) -> Estimate:
    found = crossover(
        [-1 / place.cost for place in places.values()],
        [{block: (1 + share) * cost for block, cost in subtrahend[size].items()} for size in places],
        [minuend[size] for size in places],
        confidence,
    )
    return Estimate(
        -1 / found.value,
        0.0 if math.isinf(found.low) else -1 / found.low,
        math.inf if found.high >= 0 else -1 / found.high,
        found.count,
        found.caution,
    )
