"""Intervals from quartiles: they hold the truth as often as they say, and are missing where nothing is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics import Estimate
from harness.statistics.summaries import FEWEST_FOR_QUARTILES, quartile_estimate, ratio_of_estimates

TRIALS = 2000


def quartiles(values: np.ndarray) -> tuple[float, float, float]:
    lower, middle, upper = np.quantile(values, [0.25, 0.5, 0.75])
    return float(middle), float(lower), float(upper)


def correlated(rng: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """A first-order autoregressive normal sequence of unit variance."""
    values = rng.normal(size=count)
    for i in range(1, count):
        values[i] = correlation * values[i - 1] + math.sqrt(1 - correlation**2) * values[i]
    return values


@pytest.mark.parametrize(
    ("count", "correlation", "confidence"),
    [(20, 0.0, 0.95), (20, 0.0, 0.999), (1000, 0.0, 0.95), (20, 0.3, 0.95), (200, 0.9, 0.95), (2000, 0.98, 0.95)],
)
def test_the_interval_holds_the_median(count: int, correlation: float, confidence: float) -> None:
    """Of independent values as often as it says, and still where a thousand of them say as much as twenty."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(TRIALS if count < 1000 else TRIALS // 10):
        logs = 0.05 * correlated(rng, count, correlation)
        estimate = quartile_estimate(*quartiles(np.exp(logs)), count, confidence)
        held += estimate.low <= 1.0 <= estimate.high
    trials = TRIALS if count < 1000 else TRIALS // 10
    share = held / trials
    assert share > confidence - 3 * math.sqrt(confidence * (1 - confidence) / trials)


def test_it_is_never_narrower_than_the_quartiles() -> None:
    estimate = quartile_estimate(10.0, 9.0, 12.0, 10**6)
    assert (estimate.low, estimate.high) == (9.0, 12.0)
    assert "quartiles of 1000000 values" in estimate.caution
    wider = quartile_estimate(10.0, 9.0, 12.0, 8, confidence=0.9999)
    assert wider.low < 9.0
    assert wider.high > 12.0


@pytest.mark.parametrize(
    ("median", "lower", "upper", "count"),
    [(1.0, 1.0, 1.0, 1), (1.0, 0.9, 1.1, FEWEST_FOR_QUARTILES - 1), (1.0, 1.1, 0.9, 50), (1.0, 0.0, 1.1, 50),
     (0.0, 0.0, 0.0, 50), (-1.0, -1.1, -0.9, 50), (1.0, math.nan, 1.1, 50)],
)  # fmt: skip
def test_no_interval_where_nothing_is_known(median: float, lower: float, upper: float, count: int) -> None:
    assert not quartile_estimate(median, lower, upper, count).has_interval


def test_a_ratio_runs_from_the_least_to_the_largest() -> None:
    ratio = ratio_of_estimates(Estimate(2.0, 1.8, 2.2, 5, "a"), Estimate(1.0, 0.9, 1.1, 7, "b"))
    assert ratio.value == 2.0
    assert ratio.low == pytest.approx(1.8 / 1.1)
    assert ratio.high == pytest.approx(2.2 / 0.9)
    assert ratio.count == 12
    assert ratio.caution == "a; b"


def test_a_ratio_without_an_interval_on_one_side_has_none() -> None:
    ratio = ratio_of_estimates(Estimate.without_interval(2.0, 1), Estimate(1.0, 0.9, 1.1, 7))
    assert ratio.value == 2.0
    assert not ratio.has_interval
    with pytest.raises(ValueError, match="positive"):
        ratio_of_estimates(Estimate(0.0, 0.0, 0.0), Estimate(1.0, 0.9, 1.1))
