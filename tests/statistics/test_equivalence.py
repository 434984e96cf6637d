"""The same, and many at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics import (
    Estimate,
    equivalence_confidence,
    equivalent,
    equivalent_costs,
    paired_ratio,
    simultaneous_confidence,
    simultaneous_ratios,
)

Side = dict[tuple[int, int], float]


def side(rng: np.random.Generator, ratio: float = 1.0, rounds: int = 8, spread: float = 0.02) -> Side:
    return {(number, 0): float(ratio * rng.lognormal(0, spread)) for number in range(rounds)}


def test_the_interval_must_lie_inside_the_margin() -> None:
    assert equivalent(Estimate(1.0, 0.97, 1.03), 0.95, 1.05)
    assert not equivalent(Estimate(1.0, 0.94, 1.03), 0.95, 1.05)
    assert not equivalent(Estimate(1.0, 0.97, 1.06), 0.95, 1.05)
    assert not equivalent(Estimate(1.0, math.nan, math.nan), 0.95, 1.05)
    with pytest.raises(ValueError, match=r"from 1\.05 to 0\.95"):
        equivalent(Estimate(1.0, 0.9, 1.1), 1.05, 0.95)


def test_a_wide_interval_about_one_is_not_the_same() -> None:
    rng = np.random.default_rng(1)
    noisy = equivalent_costs(side(rng, spread=0.3), side(rng, spread=0.3), margin=0.05)
    assert not noisy
    assert equivalent_costs(side(rng, spread=0.01), side(rng, spread=0.01), margin=0.05)


def test_a_ratio_on_the_margin_is_rarely_called_the_same() -> None:
    """Level 5 % at the margin itself; equal contestants are found so nearly always at this spread."""
    rng = np.random.default_rng(2)
    wrong = sum(equivalent_costs(side(rng, 1.05), side(rng), margin=0.05) for _ in range(1000))
    right = sum(equivalent_costs(side(rng), side(rng), margin=0.05) for _ in range(200))
    assert wrong / 1000 <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 1000)
    assert wrong > 0
    assert right / 200 > 0.9


def test_confidences() -> None:
    assert equivalence_confidence() == pytest.approx(0.90)
    assert equivalence_confidence(comparisons=10) == pytest.approx(0.99)
    assert simultaneous_confidence(10) == pytest.approx(0.995)
    assert simultaneous_confidence(0) == 0.95


@pytest.mark.parametrize("rounds", [5, 10])
def test_all_intervals_of_a_table_hold_together(rounds: int) -> None:
    """Twenty contestants against one baseline; one by one, at least one interval of a table misses far more often."""
    rng = np.random.default_rng(3)
    together = alone = 0
    for _ in range(200):
        baseline = side(rng, rounds=rounds)
        pairs = {name: (side(rng, rounds=rounds), baseline) for name in range(20)}
        together += all(each.low <= 1 <= each.high for each in simultaneous_ratios(pairs).values())
        alone += all(each.low <= 1 <= each.high for each in (paired_ratio(*pair) for pair in pairs.values()))
    assert together / 200 >= 0.95 - 2.5 * math.sqrt(0.05 * 0.95 / 200)
    assert alone / 200 < 0.8


def test_pairs_without_a_common_block_are_left_out() -> None:
    rng = np.random.default_rng(4)
    one = side(rng)
    found = simultaneous_ratios({"both": (one, one), "apart": ({(0, 0): 1.0}, {(0, 1): 1.0})})
    assert found["both"] == Estimate(1.0, 1.0, 1.0, 8)
    assert not found["apart"].has_interval
