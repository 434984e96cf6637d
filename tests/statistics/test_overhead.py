"""Is one cost another plus a constant? Worked cases without noise, and the truth inside intervals with it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics import constant_overhead
from harness.statistics.overhead import Figure

COSTS = (1e3, 4e3, 16e3, 64e3)
Side = dict[float, dict[tuple[int, int], float]]


def sides(overhead: list[float], scatter: float = 0.0, processes: int = 6, blocks_each: int = 5) -> tuple[Side, Side]:
    """Costs of both sides at four sizes, in ``processes`` processes of ``blocks_each`` blocks."""
    rng = np.random.default_rng(4)
    above: Side = {}
    below: Side = {}
    for size, (cost, more) in enumerate(zip(COSTS, overhead, strict=True), start=1):
        blocks = [(process, block) for process in range(processes) for block in range(blocks_each)]
        below[size] = {block: cost * math.exp(scatter * rng.normal()) for block in blocks}
        above[size] = {block: below[size][block] + more * math.exp(scatter * rng.normal()) for block in blocks}
    return above, below


@pytest.mark.parametrize(
    ("overhead", "figure", "value"),
    [
        ([400.0] * 4, "slope", 0.0),
        ([100.0, 400.0, 1600.0, 6400.0], "slope", 0.1),
        ([400.0] * 4, "spread", 1.0),
        ([400.0, 500.0, 600.0, 450.0], "spread", 1.5),
        ([-400.0, -500.0, -600.0, -450.0], "spread", 1.5),
        ([400.0, 400.0, 400.0, -400.0], "spread", math.inf),
        ([10.0, 40.0, 90.0, 160.0], "growth", 2.0),
        ([0.0, 0.0, 0.0, 0.0001], "crossing", 1e3),  # within a twentieth from the first size on
    ],
)
def test_worked_without_noise(overhead: list[float], figure: Figure, value: float) -> None:
    above, below = sides(overhead)
    estimate = constant_overhead(above, below, figure)
    assert estimate.value == pytest.approx(value, abs=1e-9)
    assert estimate.high == pytest.approx(value, abs=1e-9)


def test_the_crossing_is_where_a_constant_puts_it() -> None:
    """400 is a twentieth of 8,000, half way between two sizes; straight lines in 1/cost miss that by a few per cent."""
    above, below = sides([400.0] * 4)
    crossing = constant_overhead(above, below, "crossing")
    assert crossing.value == pytest.approx(8000, rel=0.03)
    assert constant_overhead(above, below, "prediction").value == pytest.approx(crossing.value / 8000)


def test_beyond_the_last_size_the_interval_is_open() -> None:
    above, below = sides([1e4] * 4)
    estimate = constant_overhead(above, below, "crossing")
    assert (estimate.value, estimate.high) == (COSTS[-1], math.inf)


def test_intervals_hold_the_truth_in_noise() -> None:
    above, below = sides([400.0] * 4, scatter=0.05, processes=8)
    truths: list[tuple[Figure, float]] = [("slope", 0.0), ("spread", 1.0), ("crossing", 8000.0), ("prediction", 1.0)]
    for figure, truth in truths:
        estimate = constant_overhead(above, below, figure)
        assert estimate.low <= truth <= estimate.high, figure
        assert estimate.low < estimate.high


def test_an_overhead_that_nobody_can_see_is_an_error() -> None:
    above, below = sides([1.0, 1.0, 1.0, 1.0])
    noise = np.random.default_rng(0)
    above = {size: {block: cost + 100 * noise.normal() for block, cost in side.items()} for size, side in above.items()}
    with pytest.raises(ValueError, match=r"known to 50% at [01] of 4 sizes"):
        constant_overhead(above, below, "spread")


def test_a_block_that_was_disturbed_does_not_hide_a_growth() -> None:
    above, below = sides([10.0, 40.0, 90.0, 160.0], processes=1, blocks_each=20)
    above[1][0, 2] -= 500
    assert constant_overhead(above, below, "growth").value == pytest.approx(2.0)


def test_an_overhead_that_is_no_overhead_does_not_grow() -> None:
    above, below = sides([10.0, -40.0, 90.0, 160.0])
    with pytest.raises(ValueError, match="at 2 its interval begins at -40"):
        constant_overhead(above, below, "growth")


@pytest.mark.parametrize("figure", ["slope", "spread", "crossing", "prediction", "growth"])
def test_two_sizes_are_too_few(figure: Figure) -> None:
    above, below = sides([400.0] * 4)
    with pytest.raises(ValueError, match="at least three sizes"):
        constant_overhead({1.0: above[1]}, {1.0: below[1]}, figure)
