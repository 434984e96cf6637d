"""Intervals of a location or a shift from ordered values: ranks where they suffice, Student's beside them elsewhere.

Ranks alone hold their level for every shape of noise but need six values for 95 %. With fewer, and where correlation
leaves the information of fewer, the interval is the hull of the extremes (which ranks guarantee something for) and
Student's interval (which is right for normal scatter): it covers at least as often as the better of the two.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from harness.statistics.quantiles import rank_sum_position, sign_position, signed_rank_position, student_quantile


class Bounds(NamedTuple):
    """A location with its interval.

    :param guaranteed: the confidence that the ranks alone give whatever the shape of the noise; the one asked for
        unless there were too few values.
    """

    value: float
    low: float
    high: float
    guaranteed: float


def median_bounds(values: np.ndarray, effective_count: float, confidence: float) -> Bounds:
    """Median with the interval that the sign test does not reject: right for any distribution with one median.

    Student's interval, where it takes part, is of the logarithms if all values are positive.

    :param effective_count: how many independent values carry the same information (at least 2).
    """
    ordered = np.sort(values)
    count = len(ordered)
    value, least, largest = _at(ordered, (count - 1) / 2), float(ordered[0]), float(ordered[-1])
    position = _stretched(sign_position(count, confidence), count, count / effective_count)
    if position is not None or least == largest:
        return Bounds(value, *_both_ends(ordered, position or 0.0), confidence)
    if least > 0:
        low, high = (math.exp(end) for end in _student(np.log(values), effective_count, confidence))
    else:
        low, high = _student(values, effective_count, confidence)
    return Bounds(value, min(low, least), max(high, largest), 1 - 2.0 ** (1 - effective_count))


def pseudomedian_bounds(values: np.ndarray, effective_count: float, confidence: float) -> Bounds:
    """Median of the averages of all pairs, with the interval that Wilcoxon's signed-rank test does not reject.

    Hodges and Lehmann 1963. It is the centre where the scatter is symmetric, for which its interval holds for any shape
    of the scatter and needs two thirds of the values that the median's interval needs when that shape is normal.
    Time and memory grow with the square of the number of values.
    """
    count = len(values)
    first, second = _pairs(count)
    averages = np.sort((values[first] + values[second]) / 2)
    position = _stretched(signed_rank_position(count, confidence), len(averages), count / effective_count)
    value = _at(averages, (len(averages) - 1) / 2)
    if position is not None:
        return Bounds(value, *_both_ends(averages, position), confidence)
    low, high = _student(values, effective_count, confidence)
    return Bounds(value, min(low, averages[0]), max(high, averages[-1]), 1 - 2.0 ** (1 - effective_count))


def shift_bounds(
    above: np.ndarray, below: np.ndarray, effective_above: float, effective_below: float, confidence: float
) -> Bounds:
    """Median of all differences between two sides, with the interval that the rank-sum test does not reject.

    Hodges and Lehmann 1963; with too few values for ranks, Welch's interval is in the hull.
    """
    differences = np.sort((above[:, None] - below[None, :]).ravel())
    inflation = (1 / effective_above + 1 / effective_below) / (1 / len(above) + 1 / len(below))
    position = _stretched(rank_sum_position(len(above), len(below), confidence), len(differences), inflation)
    value = _at(differences, (len(differences) - 1) / 2)
    if position is not None:
        return Bounds(value, *_both_ends(differences, position), confidence)
    errors = [_squared_error(above, effective_above), _squared_error(below, effective_below)]
    degrees = _welch(errors, [effective_above - 1, effective_below - 1])
    margin = student_quantile(confidence, degrees) * math.sqrt(sum(errors))
    centre = float(above.mean() - below.mean())
    guaranteed = 1 - 2 * math.exp(_log_ways(effective_above, effective_below))
    return Bounds(value, min(centre - margin, differences[0]), max(centre + margin, differences[-1]), guaranteed)


def contrast_margin(weights: np.ndarray, margins: np.ndarray, degrees: np.ndarray, confidence: float) -> float:
    """Half width of the interval of a weighted sum of independent locations, from the half width of each.

    Variances are recovered from the margins (Zou and Donner 2008, Construction of confidence limits about effect
    measures), the degrees of freedom of their sum are Satterthwaite's.
    """
    quantiles = np.array([student_quantile(confidence, float(each)) for each in degrees])
    errors = [float(each) for each in (weights * margins / quantiles) ** 2]
    return student_quantile(confidence, _welch(errors, [float(each) for each in degrees])) * math.sqrt(sum(errors))


def _welch(squared_errors: list[float], degrees: list[float]) -> float:
    total = sum(squared_errors)
    if total == 0:
        return min(degrees)
    return 1 / sum((error / total) ** 2 / df for error, df in zip(squared_errors, degrees, strict=True))


def _student(values: np.ndarray, effective_count: float, confidence: float) -> tuple[float, float]:
    margin = student_quantile(confidence, effective_count - 1) * math.sqrt(_squared_error(values, effective_count))
    centre = float(values.mean())
    return centre - margin, centre + margin


def _squared_error(values: np.ndarray, effective_count: float) -> float:
    """Squared standard error of the mean; the sum of squares about the mean is n (1 - 1/effective) variances."""
    squares = float(((values - values.mean()) ** 2).sum())
    return squares / (len(values) * (1 - 1 / effective_count)) / effective_count


def _stretched(position: float | None, count: int, inflation: float) -> float | None:
    """The position moved away from the middle as far as ``inflation`` of the statistic's variance asks."""
    if position is None:
        return None
    middle = (count - 1) / 2
    stretched = middle - (middle - position) * math.sqrt(inflation)
    return stretched if stretched >= 0 else None


def _both_ends(ordered: np.ndarray, position: float) -> tuple[float, float]:
    return _at(ordered, position), _at(ordered, len(ordered) - 1 - position)


def _at(ordered: np.ndarray, position: float) -> float:
    left = int(position)
    share = position - left
    if share == 0.0:
        return float(ordered[left])
    low, high = float(ordered[left]), float(ordered[left + 1])
    return low if low == high else low * (1 - share) + high * share


def _log_ways(first: float, second: float) -> float:
    """Minus the logarithm of the number of ways to choose ``first`` of both, the chance of complete separation."""
    return math.lgamma(first + 1) + math.lgamma(second + 1) - math.lgamma(first + second + 1)


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(count)


def too_few(bounds: Bounds, confidence: float, count: int) -> str:
    """A caution where, for an unfortunate shape of the noise, the interval may miss twice as often as it says."""
    if 1 - bounds.guaranteed <= 2 * (1 - confidence):
        return ""
    return f"too few independent values ({count} taken): the interval relies on normal scatter"
