"""Positions of interval ends against the distributions in scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.statistics.quantiles import rank_sum_position, sign_position, signed_rank_position, student_quantile
from harness.statistics.replicates import variance_inflation


@pytest.mark.parametrize("count", [6, 7, 20, 60, 200])
def test_sign_positions_enclose_the_confidence(count: int) -> None:
    position = sign_position(count, 0.95)
    assert position is not None
    outer, inner = (1 - 2 * stats.binom.cdf(depth, count, 0.5) for depth in (int(position), int(position) + 1))
    assert outer >= 0.95 > inner


@pytest.mark.parametrize("count", [6, 8, 20, 50])
def test_signed_rank_positions_agree_with_scipy(count: int) -> None:
    """The p-value of data with every rank sum up to the position positive is what the position stands for."""
    position = signed_rank_position(count, 0.95)
    assert position is not None
    values, left = -np.arange(1.0, count + 1), int(position)
    for rank in range(count, 0, -1):  # turn ranks positive until their sum is the whole part of the position
        if rank <= left:
            values[rank - 1] *= -1
            left -= rank
    result = stats.wilcoxon(values, method="exact")
    assert result.statistic == int(position)
    assert result.pvalue <= 0.05


@pytest.mark.parametrize(("first", "second"), [(4, 4), (5, 5), (8, 10), (20, 20)])
def test_rank_sum_positions_agree_with_scipy(first: int, second: int) -> None:
    position = rank_sum_position(first, second, 0.95)
    assert position is not None
    ours, left = np.zeros(first), int(position)
    for index in range(first):  # as many of the second side below as the statistic still needs
        below = min(left, second)
        ours[index] = below + 0.5 - index * 1e-3
        left -= below
    result = stats.mannwhitneyu(ours, np.arange(1.0, second + 1), method="exact")
    assert result.statistic == int(position)
    assert result.pvalue <= 0.05


def test_too_few_values_have_no_position() -> None:
    assert sign_position(5, 0.95) is None
    assert signed_rank_position(5, 0.95) is None
    assert rank_sum_position(3, 3, 0.95) is None
    assert sign_position(5, 0.90) is not None


@pytest.mark.parametrize(("position", "count"), [(sign_position, 200), (signed_rank_position, 50)])
def test_large_counts_go_on_where_the_exact_ones_end(position, count) -> None:  # type: ignore[no-untyped-def]
    exact, approximate = position(count, 0.95), position(count + 1, 0.95)
    assert approximate > exact
    assert approximate / exact == pytest.approx(1, abs=3 / count)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 4.5, 9])
@pytest.mark.parametrize("confidence", [0.1, 0.5, 0.9, 0.95, 0.999, 0.999999])
def test_student_quantile_is_scipys_also_where_it_has_a_closed_form(confidence: float, degrees: float) -> None:
    assert student_quantile(confidence, degrees) == pytest.approx(stats.t.ppf((1 + confidence) / 2, degrees), rel=1e-8)


def test_variance_inflation_is_that_of_simulated_medians() -> None:
    rng = np.random.default_rng(1)
    steps = rng.standard_normal((20_000, 40))
    walks = steps.copy()
    for index in range(1, 40):
        walks[:, index] = 0.6 * walks[:, index - 1] + 0.8 * steps[:, index]
    simulated = np.median(walks, axis=1).var() / np.median(steps, axis=1).var()
    assert variance_inflation(0.6, 40, "median") == pytest.approx(simulated, rel=0.05)
    assert variance_inflation(0.0, 40, "median") == 1.0
