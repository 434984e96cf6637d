"""Nominal 95 % intervals hold the truth in 93 to 97 % of repeats, or the estimate says what weakens it.

The whole table, with more noise shapes and designs, is ``results/published/truths/coverage.csv``.
"""

from __future__ import annotations

import math

import pytest

from harness.statistics import median_estimate
from tests.truths.coverage import Coverage, coverage, coverage_when_stopped

REPEATS = 1000
INDEPENDENT = ("normal", "lognormal", "bimodal", "student2", "spikes")


def allowance(share: float, repeats: int) -> float:
    """Two and a half standard errors: what a share in the band may stray by chance."""
    return 2.5 * math.sqrt(share * (1 - share) / repeats)


def keeps_its_word(row: Coverage) -> bool:
    low, high = 0.93 - allowance(0.93, row.repeats), 0.97 + allowance(0.97, row.repeats)
    return low <= row.coverage <= high


@pytest.mark.parametrize("noise", INDEPENDENT)
@pytest.mark.parametrize("estimate", ["median", "paired_ratio"])
@pytest.mark.parametrize(("rounds", "blocks"), [(1, 20), (8, 10)])
def test_intervals_hold_the_truth(estimate: str, noise: str, rounds: int, blocks: int) -> None:
    row = coverage(estimate, noise, rounds, blocks, REPEATS)
    assert keeps_its_word(row), row


@pytest.mark.parametrize("estimate", ["median", "paired_ratio", "independent_ratio"])
@pytest.mark.parametrize("noise", ["normal", "ar0.6"])
def test_correlation_within_processes_does_not_reach_intervals_over_processes(estimate: str, noise: str) -> None:
    row = coverage(estimate, noise, 5, 20, REPEATS)
    assert keeps_its_word(row), row


@pytest.mark.parametrize("noise", ["normal", "student2", "ar0.6"])
def test_exponents_hold_the_truth(noise: str) -> None:
    row = coverage("growth_exponent", noise, 5, 20, 700)
    assert keeps_its_word(row), row


def test_crossovers_hold_the_truth_at_least_as_often() -> None:
    row = coverage("crossover", "normal", 8, 10, 300)
    assert row.coverage >= 0.93 - allowance(0.93, row.repeats), row


@pytest.mark.parametrize("estimate", ["median", "paired_ratio"])
@pytest.mark.parametrize("noise", ["ar0.6", "ar0.9"])
def test_correlation_in_one_process_is_noticed_or_covered(estimate: str, noise: str) -> None:
    """What it does to the interval cannot be known from 20 blocks, but hardly a miss goes unannounced."""
    row = coverage(estimate, noise, 1, 20, REPEATS)
    assert row.silent_misses <= 0.07 + allowance(0.07, REPEATS), row
    assert row.noticed > 0.5
    assert row.coverage > 0.88


def test_correlation_is_not_seen_where_there_is_none() -> None:
    assert coverage("median", "student2", 1, 20, 500).noticed <= 0.05 + allowance(0.05, 500)


@pytest.mark.parametrize("noise", ["normal", "bimodal"])
def test_stopping_when_precise_keeps_the_coverage(noise: str) -> None:
    row = coverage_when_stopped(noise, 500, target=0.04)
    assert row.coverage >= 0.93 - allowance(0.93, 500), row


def test_fewer_than_five_processes_say_so() -> None:
    three = {(number, block): 1.0 + 0.1 * number + 0.01 * block for number in range(3) for block in range(10)}
    assert "3 processes" in median_estimate(three).caution
