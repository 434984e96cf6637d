"""Costs that follow a model, and costs that do not."""

from __future__ import annotations

import numpy as np
import pytest

from harness.statistics import Observations, prediction_error
from harness.statistics.prediction import fit_relative

SIZES = [4.0**k for k in range(1, 10)]


def observed(cost: float, scatter: float, seed: int, rounds: int = 5) -> Observations:
    rng = np.random.default_rng(seed)
    return {(number, block): cost * rng.lognormal(0, scatter) for number in range(rounds) for block in range(8)}


def points(costs: list[float], scatter: float = 0.02) -> list[tuple[list[float], Observations]]:
    return [
        ([1.0, size], observed(cost, scatter, index))
        for index, (size, cost) in enumerate(zip(SIZES, costs, strict=True))
    ]


def test_a_line_predicts_a_line() -> None:
    line = points([50.0 + 0.3 * size for size in SIZES])
    found = prediction_error(line[::2], line[1::2])
    assert found.low <= found.value <= found.high < 0.03


def test_a_line_does_not_predict_a_parabola() -> None:
    """From the fit by hand: constants that suit both ends are off by more than half in between."""
    parabola = points([size**2 for size in SIZES])
    found = prediction_error(parabola[::2], parabola[1::2])
    assert found.low > 0.5


def test_the_interval_widens_with_the_scatter() -> None:
    costs = [50.0 + 0.3 * size for size in SIZES]
    quiet, loud = (prediction_error(line[::2], line[1::2]) for line in (points(costs, 0.01), points(costs, 0.3)))
    assert loud.high - loud.low > 3 * (quiet.high - quiet.low)


def test_single_values_give_no_interval() -> None:
    single = [([1.0, size], {(0, 0): 2.0 * size}) for size in SIZES]
    found = prediction_error(single[::2], single[1::2])
    assert found.value == pytest.approx(0.0, abs=1e-6)
    assert not found.has_interval


def test_constants_are_found_though_they_differ_by_ten_powers_of_ten() -> None:
    counts = np.array([[1.0, size * 1e6] for size in SIZES])
    costs = counts @ [1e-5, 1e-12]
    assert fit_relative(counts, costs[None])[0] == pytest.approx([1e-5, 1e-12], rel=1e-6)


def test_no_constant_is_negative() -> None:
    """A falling cost would have a negative slope; the best without is a constant alone."""
    counts = np.array([[1.0, size] for size in SIZES])
    found = fit_relative(counts, np.array([[1 / size for size in SIZES]]))[0]
    assert np.all(found >= 0)


@pytest.mark.parametrize(
    ("fitted", "held_out"),
    [(1, 4), (4, 0)],
)
def test_too_little_is_refused(fitted: int, held_out: int) -> None:
    line = points(list(SIZES))
    with pytest.raises(ValueError, match="2 constants need as many workloads"):
        prediction_error(line[:fitted], line[4 : 4 + held_out])


def test_a_cost_that_is_not_positive_is_refused() -> None:
    line = points(list(SIZES))
    line[0] = (line[0][0], {(0, 0): 0.0})
    with pytest.raises(ValueError, match="positive"):
        prediction_error(line[::2], line[1::2])
