"""What an interval may count as independent, given that samples of one process share its luck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.statistics.estimates import FEWEST_ROUNDS, Observations, joined

Statistic = Literal["median", "pseudomedian"]

# With fewer neighbouring pairs the standard error of a correlation exceeds 0.38 and its estimate says nothing.
_FEWEST_FOR_CORRELATION = 8
_HIGHEST_CORRELATION = 0.95
_ONE_SIDED_5_PERCENT = 1.645


@dataclass(frozen=True)
class Replicates:
    """The values that an interval counts.

    :param effective_count: how many independent values would say as much; at least 2 when there are two values.
    :param caution: see :class:`harness.statistics.estimates.Estimate`.
    """

    values: np.ndarray
    effective_count: float
    caution: str = ""


def replicates(observations: Observations, statistic: Statistic) -> Replicates:
    """Medians of processes where there are :data:`FEWEST_ROUNDS` of them or more, otherwise all blocks.

    Processes are independent. Blocks are not when something moves slowly, and neither are blocks of a few processes
    that differ: their number is divided by the inflation that the correlation of neighbouring blocks and the
    correlation within processes give the variance of ``statistic``. Both correlations are taken of ranks, which a
    spike cannot move far.
    """
    rounds: dict[int, list[float]] = {}
    for (number, _), value in sorted(observations.items()):
        rounds.setdefault(number, []).append(value)
    if len(rounds) >= FEWEST_ROUNDS:
        return Replicates(_medians(list(rounds.values())), float(len(rounds)))
    values = np.array([value for each in rounds.values() for value in each], dtype=float)
    count = len(values)
    if count < 2:
        return Replicates(values, float(count))
    effective, cautions = float(count), []
    ranks = np.split(_ranks(values), np.cumsum([len(each) for each in rounds.values()])[:-1])
    if count - len(rounds) >= _FEWEST_FOR_CORRELATION:
        correlation, noticed = _neighbour_correlation(ranks)
        effective /= variance_inflation(correlation, count / len(rounds), statistic)
        if noticed:
            cautions.append(f"successive blocks are correlated ({correlation:.2f})")
    if 1 < len(rounds) < count:
        effective /= _design_effect(ranks)
    effective = max(effective, 2.0)
    if cautions:
        cautions.append(f"the interval is widened to {effective:.1f} independent blocks of {count}")
    few = "one process" if len(rounds) == 1 else f"{len(rounds)} processes"
    cautions.append(f"from {few}: how processes differ is {'not' if len(rounds) == 1 else 'hardly'} in the interval")
    return Replicates(values, effective, joined(*cautions))


def variance_inflation(correlation: float, count: float, statistic: Statistic) -> float:
    """How much larger the variance of a location is than for independent values.

    The values are taken for a monotone function of a first-order autoregressive normal process, whose signs about the
    median have the correlations (2/π) asin(ρ^k) and whose ranks have (6/π) asin(ρ^k / 2).
    """
    if correlation <= 0:
        return 1.0
    lags = np.arange(1, max(math.ceil(count), 2))
    powers = correlation**lags
    correlations = np.arcsin(powers) * 2 / math.pi if statistic == "median" else np.arcsin(powers / 2) * 6 / math.pi
    return float(1 + 2 * np.sum((1 - lags / max(count, 2.0)).clip(0) * correlations))


def _neighbour_correlation(ranks: list[np.ndarray]) -> tuple[float, bool]:
    """Correlation of the normal process behind neighbouring blocks, and whether chance alone would hardly give it.

    The sample's own lag-one correlation is too small by (1 + 3ρ)/n (Kendall 1954, Note on bias in the estimation of
    autocorrelation), which is added. Once correlation is noticed the question is no longer whether but how much, and
    one standard error is added so that the interval is rather too wide.
    """
    centred = [each - each.mean() for each in ranks]
    squares = sum(float(each @ each) for each in centred)
    if squares == 0:
        return 0.0, False
    count = sum(len(each) for each in centred)
    of_ranks = sum(float(each[1:] @ each[:-1]) for each in centred) / squares
    raw = 2 * math.sin(math.pi * of_ranks / 6)
    bias = (1 + 3 * raw) * len(centred) / count
    error = math.sqrt(max(1 - raw * raw, 0.0) / count)
    noticed = raw + len(centred) / count > _ONE_SIDED_5_PERCENT / math.sqrt(count)
    correlation = raw + bias + (error if noticed else 0.0)
    return min(max(correlation, 0.0), _HIGHEST_CORRELATION), noticed


def _design_effect(ranks: list[np.ndarray]) -> float:
    """Inflation of the variance by the correlation within processes (Kish 1965), by one-way analysis of variance."""
    count, groups = sum(len(each) for each in ranks), len(ranks)
    mean = sum(float(each.sum()) for each in ranks) / count
    between = sum(len(each) * (float(each.mean()) - mean) ** 2 for each in ranks) / (groups - 1)
    within = sum(float(((each - each.mean()) ** 2).sum()) for each in ranks) / (count - groups)
    size = count / groups
    if between <= within:
        return 1.0
    return 1 + (size - 1) * (between - within) / (between + (size - 1) * within)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, tied values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _medians(rows: list[list[float]]) -> np.ndarray:
    if len({len(row) for row in rows}) == 1:
        ordered = np.sort(np.array(rows, dtype=float), axis=1)
        size = ordered.shape[1]
        return np.asarray((ordered[:, (size - 1) // 2] + ordered[:, size // 2]) / 2)
    return np.array([np.median(row) for row in rows])
