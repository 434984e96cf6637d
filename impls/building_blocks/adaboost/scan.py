"""One round of AdaBoost on presorted columns, compiled: scan all features, choose, measure the error, reweight.

Weights are kept with the sign of their row's label. The running sum of a feature's signed weights, taken in the order
of its values, is by how much the error of polarity 1 differs there from calling every row positive; its least and its
largest value are all that a scan has to find. Where they lie is looked up for the winning feature alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from suites.adaboost.suite import TIE

AT_ONCE = 4
"""Features in one loop: additions of one running sum wait for one another, those of several do not."""


WORTH_THREADS = 1 << 20
"""Places from which on a scan, at about a nanosecond each, is worth several threads, which wait for one another."""


class Columns(NamedTuple):
    """Presorted columns, marked for the scan.

    :param places: row numbers int32 (features, rows) by increasing value; as ``~row`` where the next value is larger,
        which makes it a place for a threshold.
    :param values: the values in that order, float64 (features, rows).
    :param all_differ: features without two equal values, bool (features,).
    """

    places: np.ndarray
    values: np.ndarray
    all_differ: np.ndarray


class Choice(NamedTuple):
    """A stump that says ``polarity`` on all rows but the first ``cut`` of a feature's order."""

    feature: int
    threshold: float
    polarity: int
    cut: int


@njit(cache=True, parallel=True)
def mark(order: np.ndarray, values: np.ndarray) -> Columns:
    """Columns for the scan from row numbers and values (features, rows) in increasing order."""
    features, rows = order.shape
    places, all_differ = np.empty_like(order), np.empty(features, dtype=np.bool_)
    for f in prange(features):
        different = 0
        for i in range(rows - 1):
            next_is_larger = values[f, i] < values[f, i + 1]
            places[f, i] = ~order[f, i] if next_is_larger else order[f, i]
            different += next_is_larger
        places[f, rows - 1] = order[f, rows - 1]
        all_differ[f] = different == rows - 1
    return Columns(places, values, all_differ)


@njit(cache=True)
def scan(columns: Columns, signed: np.ndarray, least: np.ndarray, largest: np.ndarray) -> None:
    """Least and largest running sum of ``signed`` (rows,) at the thresholds of every feature, into (features,) each.

    A feature that cannot be split gets infinities.
    """
    if columns.places.size >= WORTH_THREADS:
        _scan_in_threads(columns, signed, least, largest)
        return
    for group in range((len(least) + AT_ONCE - 1) // AT_ONCE):
        _scan_group(group, columns, signed, least, largest)


@njit(cache=True, parallel=True)
def _scan_in_threads(columns: Columns, signed: np.ndarray, least: np.ndarray, largest: np.ndarray) -> None:
    for group in prange((len(least) + AT_ONCE - 1) // AT_ONCE):
        _scan_group(group, columns, signed, least, largest)


@njit(cache=True)
def _scan_group(group: int, columns: Columns, signed: np.ndarray, least: np.ndarray, largest: np.ndarray) -> None:
    places, all_differ = columns.places, columns.all_differ
    first, last = group * AT_ONCE, min(len(places), (group + 1) * AT_ONCE)
    if last - first == AT_ONCE and all_differ[first:last].all():
        _scan_four(places[first:last], signed, least[first:last], largest[first:last])
    elif last - first == AT_ONCE:
        _scan_four_with_ties(places[first:last], signed, least[first:last], largest[first:last])
    else:
        for f in range(first, last):
            least[f], largest[f] = _scan_one(places[f], signed)


@njit(cache=True, fastmath={"nnan", "nsz"})
def _scan_four(places: np.ndarray, signed: np.ndarray, least: np.ndarray, largest: np.ndarray) -> None:
    p0, p1, p2, p3 = places[0], places[1], places[2], places[3]
    s0 = s1 = s2 = s3 = 0.0
    low0 = low1 = low2 = low3 = np.inf
    high0 = high1 = high2 = high3 = -np.inf
    for i in range(places.shape[1] - 1):
        s0 += signed[~p0[i]]
        s1 += signed[~p1[i]]
        s2 += signed[~p2[i]]
        s3 += signed[~p3[i]]
        low0, high0 = min(low0, s0), max(high0, s0)
        low1, high1 = min(low1, s1), max(high1, s1)
        low2, high2 = min(low2, s2), max(high2, s2)
        low3, high3 = min(low3, s3), max(high3, s3)
    least[0], least[1], least[2], least[3] = low0, low1, low2, low3
    largest[0], largest[1], largest[2], largest[3] = high0, high1, high2, high3


@njit(cache=True, fastmath={"nnan", "nsz"})
def _scan_four_with_ties(places: np.ndarray, signed: np.ndarray, least: np.ndarray, largest: np.ndarray) -> None:
    p0, p1, p2, p3 = places[0], places[1], places[2], places[3]
    s0 = s1 = s2 = s3 = 0.0
    low0 = low1 = low2 = low3 = np.inf
    high0 = high1 = high2 = high3 = -np.inf
    for i in range(places.shape[1] - 1):
        s0 += signed[_row(p0[i])]
        s1 += signed[_row(p1[i])]
        s2 += signed[_row(p2[i])]
        s3 += signed[_row(p3[i])]
        low0 = min(low0, s0 if p0[i] < 0 else np.inf)
        low1 = min(low1, s1 if p1[i] < 0 else np.inf)
        low2 = min(low2, s2 if p2[i] < 0 else np.inf)
        low3 = min(low3, s3 if p3[i] < 0 else np.inf)
        high0 = max(high0, s0 if p0[i] < 0 else -np.inf)
        high1 = max(high1, s1 if p1[i] < 0 else -np.inf)
        high2 = max(high2, s2 if p2[i] < 0 else -np.inf)
        high3 = max(high3, s3 if p3[i] < 0 else -np.inf)
    least[0], least[1], least[2], least[3] = low0, low1, low2, low3
    largest[0], largest[1], largest[2], largest[3] = high0, high1, high2, high3


@njit(cache=True, fastmath={"nnan", "nsz"})
def _scan_one(places: np.ndarray, signed: np.ndarray) -> tuple[float, float]:
    low, high, running = np.inf, -np.inf, 0.0
    for i in range(len(places) - 1):
        running += signed[_row(places[i])]
        if places[i] < 0:
            low, high = min(low, running), max(high, running)
    return low, high


@njit(cache=True)
def _row(place: int) -> int:
    """The row number at a place, marked or not."""
    return place ^ (place >> 31)


@njit(cache=True)
def choose(columns: Columns, signed: np.ndarray, least: np.ndarray, largest: np.ndarray, drawn: bool) -> Choice:
    """The best stump after a scan of ``signed``.

    :param drawn: rows of weight 0 were not drawn: their values are unknown, thresholds lie between the others'.
    """
    rows = len(signed)
    total = negative = 0.0
    for weight in signed:
        total += abs(weight)
        negative += max(-weight, 0.0)
    constant = min(negative, total - negative)
    best = constant
    for f in range(len(least)):
        best = min(best, negative + least[f], total - negative - largest[f])
    allowed = best + TIE * total
    if constant <= allowed:
        return Choice(0, -np.inf, 1 if negative <= allowed else -1, 0)
    f = 0
    while negative + least[f] > allowed and total - negative - largest[f] > allowed:
        f += 1
    places, values = columns.places[f], columns.values[f]
    # The very sums of the scan, in the same order: over a million rows another order differs by more than a tie.
    running, i = 0.0, -1
    while True:
        i += 1
        running += signed[_row(places[i])]
        if places[i] < 0 and (negative + running <= allowed or total - negative - running <= allowed):
            break
    polarity = 1 if negative + running <= allowed else -1
    lower, upper = i, i + 1
    while drawn and signed[_row(places[lower])] == 0.0:
        lower -= 1
    while drawn and signed[_row(places[upper])] == 0.0:
        upper += 1
    threshold = values[lower] + (values[upper] - values[lower]) / 2
    if not threshold < values[upper]:
        threshold = values[lower]
    cut = i + 1
    while drawn and cut < rows and values[cut] <= threshold:
        cut += 1
    while drawn and values[cut - 1] > threshold:
        cut -= 1
    return Choice(f, threshold, polarity, cut)


@njit(cache=True)
def error_of(columns: Columns, choice: Choice, signed: np.ndarray) -> float:
    """The weight of the rows that ``choice`` gets wrong; weights sum to 1."""
    places = columns.places[choice.feature]
    wrong = 0.0
    for i in range(choice.cut):
        wrong += max(signed[_row(places[i])] * choice.polarity, 0.0)
    for i in range(choice.cut, len(places)):
        wrong += max(-signed[_row(places[i])] * choice.polarity, 0.0)
    return wrong


@njit(cache=True)
def reweight(columns: Columns, choice: Choice, error: float, signed: np.ndarray) -> None:
    """Multiply by exp(-alpha y h) and divide by the sum: wrong rows then hold one half of the weight, right ones too.

    The factors are 1 / 2e and 1 / 2(1 - e); what rounding leaves beside a sum of 1 is divided out.
    """
    places = columns.places[choice.feature]
    if_wrong, if_right, total = 0.5 / error, 0.5 / (1 - error), 0.0
    for i in range(len(places)):
        row = _row(places[i])
        vote = -choice.polarity if i < choice.cut else choice.polarity
        signed[row] *= if_right if vote * signed[row] > 0 else if_wrong
        total += abs(signed[row])
    for row in range(len(signed)):
        signed[row] /= total


@njit(cache=True, parallel=True)
def score(
    features: np.ndarray, thresholds: np.ndarray, polarities: np.ndarray, alphas: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Sum of alpha h for each row of ``x``, float64."""
    held = 0
    while held < len(features) and features[held] >= 0:
        held += 1
    weights = alphas * polarities
    scores = np.empty(len(x))
    for i in prange(len(x)):
        total = 0.0
        for m in range(held):
            total += weights[m] if x[i, features[m]] > thresholds[m] else -weights[m]
        scores[i] = total
    return scores
