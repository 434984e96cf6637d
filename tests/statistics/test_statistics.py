"""Estimators against known truths: exact cases worked by hand, coverage by simulation, invariances by property."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.statistics import (
    Estimate,
    cost_difference,
    cost_slope,
    crossover,
    growth_exponent,
    growth_of_ratio,
    independent_ratio,
    mean_estimate,
    mean_ratio,
    median_estimate,
    paired_differences,
    paired_ratio,
    ratio_trend,
)
from harness.statistics.estimates import joined

positive = st.floats(1e-3, 1e6)


def blocks(values: list[float] | np.ndarray, round_number: int = 0) -> dict[tuple[int, int], float]:
    return {(round_number, block): float(value) for block, value in enumerate(values)}


def test_median_of_constant_observations_has_a_point_interval() -> None:
    assert median_estimate(blocks([5.0] * 10)) == Estimate(5.0, 5.0, 5.0, 10)


def test_one_observation_gives_no_interval() -> None:
    estimate = median_estimate(blocks([5.0]))
    assert estimate.value == 5.0
    assert not estimate.has_interval


def test_no_observation_is_an_error() -> None:
    with pytest.raises(ValueError, match="no observations"):
        median_estimate({})


@settings(max_examples=25)
@given(st.lists(positive, min_size=2, max_size=30), st.integers(1, 8))
def test_the_interval_holds_the_median_and_is_positive(values: list[float], rounds: int) -> None:
    estimate = median_estimate({(index % rounds, index): value for index, value in enumerate(values)})
    if not estimate.has_interval:
        return
    ends = [0.0, estimate.low, estimate.value, estimate.high]
    assert all(left <= right * (1 + 1e-12) for left, right in itertools.pairwise(ends))


def test_six_processes_are_bounded_by_order_statistics_worked_by_hand() -> None:
    """Of six values the extremes bound the median with 62/64, the next with 50/64; interpolated after the paper."""
    share = (62 / 64 - 0.95) / (12 / 64)
    weight = 5 * share / (1 + 4 * share)
    estimate = median_estimate({(number, 0): float(value) for number, value in enumerate([1, 2, 4, 8, 16, 32])})
    assert estimate.value == 6.0
    assert estimate.low == pytest.approx(1 + weight * 1)
    assert estimate.high == pytest.approx(32 - weight * 16)
    assert estimate.caution == ""


def test_few_values_have_students_interval_of_the_logarithms_and_say_so() -> None:
    """Worked by hand: logarithms 0, 1, 2 have s = 1, and t(0.975, 2) = 4.302653."""
    estimate = median_estimate(blocks([1.0, math.e, math.e**2]))
    assert estimate.low == pytest.approx(math.exp(1 - 4.302653 / math.sqrt(3)), rel=1e-6)
    assert estimate.high == pytest.approx(math.exp(1 + 4.302653 / math.sqrt(3)), rel=1e-6)
    assert "normal scatter" in estimate.caution
    assert "one process" in estimate.caution


def test_correlated_blocks_widen_the_interval_and_say_so() -> None:
    wave = 100 + 5 * np.sin(np.arange(40) / 6)
    shuffled = np.random.default_rng(4).permutation(wave)
    moving, still = median_estimate(blocks(wave)), median_estimate(blocks(shuffled))
    assert "correlated" in moving.caution
    assert "correlated" not in still.caution
    assert moving.high - moving.low > 2 * (still.high - still.low)


def test_a_few_processes_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(5)
    scatter = rng.normal(0, 0.1, size=30)
    alike = {(index // 10, index): 100 + value for index, value in enumerate(scatter)}
    apart = {(number, block): value + 5 * number for (number, block), value in alike.items()}
    assert median_estimate(apart).high - median_estimate(apart).low > 10
    assert median_estimate(alike).high - median_estimate(alike).low < 0.5


def test_caution_travels_and_does_not_make_estimates_differ() -> None:
    estimate = Estimate(2.0, 1.0, 4.0, 7, "one process")
    assert estimate.scaled(2.0).caution == estimate.inverted().caution == "one process"
    assert estimate == Estimate(2.0, 1.0, 4.0, 7)
    assert estimate.relative_half_width == 0.75


def test_with_many_rounds_the_interval_is_taken_over_rounds() -> None:
    """Two hundred samples whose processes differ by a tenth: the scatter within a process is no measure of doubt."""
    rng = np.random.default_rng(1)
    observations = {}
    for number in range(8):
        level = 100 * (1 + 0.1 * rng.normal())
        for block in range(25):
            observations[number, block] = level * (1 + 0.001 * rng.normal())
    estimate = median_estimate(observations)
    assert estimate.count == 8
    assert estimate.high - estimate.low > 2.0


def test_a_ratio_within_blocks_cancels_common_drift() -> None:
    """Both sides drift a hundredfold together; the ratio stays exactly two."""
    drift = np.geomspace(1, 100, 20)
    estimate = paired_ratio(blocks(2 * drift), blocks(drift))
    assert estimate.value == pytest.approx(2.0)
    assert estimate.low == pytest.approx(2.0)
    assert estimate.high == pytest.approx(2.0)


@settings(max_examples=25)
@given(st.lists(st.tuples(positive, positive), min_size=3, max_size=20))
def test_swapping_the_sides_inverts_the_ratio(pairs: list[tuple[float, float]]) -> None:
    above, below = blocks([a for a, _ in pairs]), blocks([b for _, b in pairs])
    forward, backward = paired_ratio(above, below), paired_ratio(below, above)
    assert forward.value == pytest.approx(1 / backward.value, rel=1e-9)


def test_only_shared_blocks_count() -> None:
    estimate = paired_ratio({(0, 0): 2.0, (0, 1): 2.0, (0, 2): 500.0}, {(0, 0): 1.0, (0, 1): 1.0, (1, 2): 1.0})
    assert estimate.value == pytest.approx(2.0)
    with pytest.raises(ValueError, match="share no block"):
        paired_ratio({(0, 0): 1.0}, {(1, 0): 1.0})
    with pytest.raises(ValueError, match="positive"):
        paired_ratio({(0, 0): 1.0}, {(0, 0): 0.0})


def test_independent_ratio() -> None:
    estimate = independent_ratio(blocks([6.0, 6.0, 6.0]), blocks([2.0, 2.0, 2.0], 1))
    assert estimate.value == pytest.approx(3.0)
    assert estimate.low == pytest.approx(3.0)


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.75, 1.0, 2.0])
def test_growth_exponent_is_recovered(exponent: float) -> None:
    rng = np.random.default_rng(3)
    costs = {
        size: blocks(7.0 * size**exponent * rng.lognormal(0, 0.05, size=15)) for size in (100.0, 200.0, 400.0, 800.0)
    }
    estimate = growth_exponent(costs)
    assert estimate.low <= exponent <= estimate.high
    assert estimate.high - estimate.low < 0.2


def test_growth_of_counts_has_the_intervals_of_the_fit() -> None:
    exact = growth_exponent({size: blocks([size**2]) for size in (1.0, 10.0, 100.0)})
    assert exact.value == pytest.approx(2.0)
    assert exact.low == pytest.approx(2.0)
    bent = growth_exponent({1.0: blocks([1.0]), 10.0: blocks([150.0]), 100.0: blocks([10_000.0])})
    assert bent.low < 2.0 < bent.high


def test_growth_that_bends_says_so() -> None:
    rng = np.random.default_rng(6)
    sizes = (100.0, 200.0, 400.0, 800.0)
    law = {size: blocks(size * rng.lognormal(0, 0.01, size=15)) for size in sizes}
    bent = {size: blocks((1000 + size**2 / 100) * rng.lognormal(0, 0.01, size=15)) for size in sizes}
    assert "bend" not in growth_exponent(law).caution
    assert "bend" in growth_exponent(bent).caution


def test_the_trend_of_a_ratio_is_recovered() -> None:
    """A logarithmic factor of 3 + log2(n) / 2 has the slope 1/2, whatever both sides have in common."""
    rng = np.random.default_rng(4)
    pairs = {}
    for size in (64.0, 256.0, 1024.0, 4096.0):
        drift = rng.lognormal(0, 0.3, size=15)
        below = blocks(size * drift)
        above = blocks(size * (3 + np.log2(size) / 2) * drift * rng.lognormal(0, 0.02, size=15))
        pairs[size] = (above, below)
    above, below = ({size: pair[side] for size, pair in pairs.items()} for side in (0, 1))
    trend = ratio_trend(above, below)
    assert trend.low <= 0.5 <= trend.high
    assert trend.high - trend.low < 0.1
    assert "straight" not in trend.caution
    flat = ratio_trend(below, below)
    assert (flat.value, flat.low, flat.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_a_ratio_that_is_no_line_says_so_and_two_sizes_are_too_few() -> None:
    rng = np.random.default_rng(5)
    squared = {n: (blocks(n**2 * rng.lognormal(0, 0.01, size=15)), blocks(np.full(15, n))) for n in (1.0, 4.0, 64.0)}
    above, below = ({size: pair[side] for size, pair in squared.items()} for side in (0, 1))
    assert "straight" in ratio_trend(above, below).caution
    with pytest.raises(ValueError, match="three positive sizes"):
        ratio_trend(dict(list(above.items())[:2]), below)


def test_the_slope_of_a_cost_is_that_of_its_line_and_may_begin_at_zero() -> None:
    rng = np.random.default_rng(6)
    costs = {size: blocks(500 + 7 * size + rng.normal(0, 5, size=20)) for size in (0.0, 128.0, 512.0, 1024.0, 4096.0)}
    slope = cost_slope(costs)
    assert slope.low <= 7 <= slope.high
    assert slope.high - slope.low < 0.01
    assert "straight" not in slope.caution
    exact = cost_slope({size: blocks([3 * size + 1]) for size in (0.0, 1.0, 2.0)})
    assert (exact.value, exact.low, exact.high) == pytest.approx((3, 3, 3))


def test_a_slope_of_what_is_no_line_says_so_and_two_sizes_are_too_few() -> None:
    rng = np.random.default_rng(7)
    costs = {size: blocks(size**2 + rng.normal(0, 1, size=20)) for size in (0.0, 10.0, 100.0)}
    assert "straight" in cost_slope(costs).caution
    with pytest.raises(ValueError, match="three sizes"):
        cost_slope(dict(list(costs.items())[:2]))


def test_a_mean_of_ratios_is_geometric_and_free_of_what_both_sides_share() -> None:
    rng = np.random.default_rng(8)
    pairs = []
    for ratio in (1.0, 2.0, 4.0):
        drift = rng.lognormal(0, 0.5, size=20)
        pairs.append((blocks(ratio * drift * rng.lognormal(0, 0.01, size=20)), blocks(drift)))
    mean = mean_ratio(pairs)
    assert mean.low <= 2.0 <= mean.high
    assert mean.high / mean.low < 1.02
    inverted = mean_ratio([(below, above) for above, below in pairs])
    assert (inverted.value, inverted.low) == pytest.approx((1 / mean.value, 1 / mean.high))
    assert not mean_ratio([(blocks([2.0]), blocks([1.0]))]).has_interval
    with pytest.raises(ValueError, match="at least one workload"):
        mean_ratio([])


def test_growth_of_a_ratio_is_free_of_what_both_sides_share() -> None:
    """A machine whose speed changes from block to block by a factor of up to 4 leaves the ratios as they are."""
    drift = [1.0, 4.0, 2.0, 3.0, 1.5]
    sides = [
        {size: blocks([factor * speed * size**power for speed in drift]) for size in (10.0, 100.0, 1000.0)}
        for factor, power in ((3.0, 1.5), (7.0, 1.0))
    ]
    estimate = growth_of_ratio(sides[0], sides[1])
    assert estimate.value == pytest.approx(0.5)
    assert estimate.high - estimate.low < 1e-9
    assert growth_exponent(sides[0]).high - growth_exponent(sides[0]).low > 0.1
    with pytest.raises(ValueError, match="no block"):
        growth_of_ratio(sides[0], {size: {(9, 9): 1.0} for size in sides[1]})


def test_a_difference_of_costs_has_the_unit_of_the_costs() -> None:
    """Seven nanoseconds between two that drift together; swapping the sides turns the sign."""
    drift = np.array([10.0, 40.0, 20.0, 30.0, 15.0, 25.0])
    found = cost_difference(blocks(drift + 7.0), blocks(drift))
    assert (found.value, found.low, found.high) == pytest.approx((7.0, 7.0, 7.0))
    other = cost_difference(blocks(drift), blocks(drift + 7.0))
    assert other.value == pytest.approx(-7.0)
    with pytest.raises(ValueError, match="no block"):
        cost_difference(blocks([1.0]), blocks([1.0], round_number=3))


def test_growth_needs_three_sizes_and_positive_costs() -> None:
    with pytest.raises(ValueError, match="three sizes"):
        growth_exponent({1.0: blocks([1.0]), 2.0: blocks([2.0])})
    with pytest.raises(ValueError, match="positive"):
        growth_exponent({1.0: blocks([1.0]), 2.0: blocks([0.0]), 3.0: blocks([2.0])})


def test_crossover_between_beyond_and_before() -> None:
    axis = (2.0, 4.0, 8.0)
    one = [blocks([1.0, 1.0, 1.0])] * 3

    def ratios(*values: float) -> list[dict[tuple[int, int], float]]:
        return [blocks([value] * 3) for value in values]

    between = crossover(axis, ratios(0.25, 0.5, 2.0), one)
    assert between.value == pytest.approx(6.0)
    beyond = crossover(axis, ratios(0.1, 0.2, 0.3), one)
    assert (beyond.value, beyond.low, beyond.high) == (8.0, 8.0, math.inf)
    before = crossover(axis, ratios(3.0, 2.0, 1.5), one)
    assert (before.value, before.low, before.high) == (2.0, -math.inf, 2.0)


def test_crossover_interval_is_where_a_ratio_of_one_is_not_rejected() -> None:
    """At a place itself the end of the ratio's interval decides: noise that lets 4 pass for 1 puts an end before 4."""
    rng = np.random.default_rng(7)
    axis = (2.0, 4.0, 8.0)
    one = [blocks(rng.lognormal(0, 0.02, size=20)) for _ in axis]
    sides = [blocks(ratio * rng.lognormal(0, 0.02, size=20)) for ratio in (0.5, 1.0, 2.0)]
    estimate = crossover(axis, sides, one)
    assert 2.0 < estimate.low < 4.0 < estimate.high < 8.0
    assert estimate.low < estimate.value < estimate.high
    single = crossover(axis, [blocks([0.5]), blocks([0.9]), blocks([2.0])], [blocks([1.0])] * 3)
    assert not single.has_interval
    assert 4.0 < single.value < 8.0


def test_mean_interval_is_students() -> None:
    """Worked by hand: 1..5 has mean 3, s = 1.5811, t(0.975, 4) = 2.7764."""
    estimate = mean_estimate([1, 2, 3, 4, 5])
    half = 2.776445 * math.sqrt(2.5 / 5)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((3.0, 3.0 - half, 3.0 + half))


def test_a_single_count_is_exact() -> None:
    assert mean_estimate([42.0]) == Estimate(42.0, 42.0, 42.0)


def test_overlapping_training_sets_widen_the_interval() -> None:
    """Nadeau and Bengio: variance (1/J + n_test/n_train) s² instead of s²/J."""
    values = [0.1, 0.2, 0.15, 0.25, 0.3]
    plain, corrected = mean_estimate(values), mean_estimate(values, test_share=0.25)
    growth = (corrected.high - corrected.low) / (plain.high - plain.low)
    assert growth == pytest.approx(math.sqrt((1 / 5 + 0.25) / (1 / 5)))


def test_differences_are_paired() -> None:
    assert paired_differences([3, 5, 9], [1, 3, 7]) == Estimate(2.0, 2.0, 2.0, 3)
    with pytest.raises(ValueError, match="as many values"):
        paired_differences([1, 2], [1])


def test_a_caution_names_each_weakness_once() -> None:
    assert joined("from one process", "", "few values; from one process") == "from one process; few values"
