"""Deciding that two costs are the same, and deciding many ratios at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

from harness.statistics.comparisons import paired_ratio
from harness.statistics.estimates import CONFIDENCE, Estimate, Observations

Key = TypeVar("Key")

TEST_LEVEL = 0.05


def equivalence_confidence(level: float = TEST_LEVEL, comparisons: int = 1) -> float:
    """Confidence of the interval whose inclusion is two one-sided tests at ``level``, shared by so many comparisons."""
    return 1 - 2 * level / comparisons


def equivalent(estimate: Estimate, low: float, high: float) -> bool:
    """Two one-sided tests (Schuirmann 1987): sameness is shown when the whole interval lies within the margin.

    :param estimate: with an interval of :func:`equivalence_confidence`, 90 % for tests at 5 %; a wider one is stricter.
    :param low: end of the margin, set before the measurement.
    :param high: the other end.
    :raises ValueError: the margin is empty.
    """
    if not low < high:
        raise ValueError(f"a margin of equivalence runs from a lower to a higher value, not from {low} to {high}")
    return estimate.has_interval and low < estimate.low and estimate.high < high


def equivalent_costs(
    numerator: Observations, denominator: Observations, margin: float, level: float = TEST_LEVEL, comparisons: int = 1
) -> bool:
    """Whether the paired ratio lies within 1/(1 + margin) and 1 + margin beyond doubt; False does not say different.

    :param level: highest probability of saying so of a ratio on or outside the margin.
    :param comparisons: how many such questions share ``level`` (Bonferroni).
    :raises ValueError: the margin is not positive, or see :func:`paired_ratio`.
    """
    ratio = paired_ratio(numerator, denominator, equivalence_confidence(level, comparisons))
    return equivalent(ratio, 1 / (1 + margin), 1 + margin)


def simultaneous_confidence(comparisons: int, confidence: float = CONFIDENCE) -> float:
    """Confidence of each of several intervals so that all hold together with at least ``confidence`` (Bonferroni)."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def simultaneous_ratios(
    pairs: Mapping[Key, tuple[Observations, Observations]], confidence: float = CONFIDENCE
) -> dict[Key, Estimate]:
    """Paired ratios whose intervals hold all together with ``confidence``.

    Every decision read from them (dearer, cheaper, the same) is then right in the whole table with that probability,
    however the contestants depend on each other through a common baseline. Pairs that share no block have NaN ends and
    are not counted.
    """
    shared = {key: bool(set(above) & set(below)) for key, (above, below) in pairs.items()}
    each = simultaneous_confidence(sum(shared.values()), confidence)
    return {
        key: paired_ratio(above, below, each) if shared[key] else Estimate(math.nan, math.nan, math.nan, 0)
        for key, (above, below) in pairs.items()
    }
