"""Warm-up on synthetic sequences whose beginning is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.statistics import WarmUp, find_warmup

COUNT = 60
INDEX = np.arange(COUNT)


def found(shape: np.ndarray, spread: float = 0.02, repeats: int = 200) -> list[WarmUp]:
    rng = np.random.default_rng(1)
    return [find_warmup(shape * np.exp(spread * rng.standard_normal(len(shape)))) for _ in range(repeats)]


def share(sequences: list[WarmUp], holds: Callable[[WarmUp], bool]) -> float:
    return sum(map(holds, sequences)) / len(sequences)


def test_noise_has_no_warmup() -> None:
    assert share(found(np.ones(COUNT)), lambda each: each == WarmUp(0, True)) > 0.9


def test_spikes_are_no_warmup() -> None:
    rng = np.random.default_rng(2)
    spiky = [find_warmup(np.exp(0.02 * rng.standard_t(2, COUNT))) for _ in range(200)]
    assert share(spiky, lambda each: each.steady and each.count <= 6) > 0.9


@pytest.mark.parametrize("slow", [1, 3, 7, 20])
def test_a_step_is_cut_where_it_is(slow: int) -> None:
    """Calls before a compiler is done: all of them are warm-up and few others."""
    shape = np.where(slow > INDEX, 5.0, 1.0)
    assert share(found(shape), lambda each: each.steady and slow <= each.count <= slow + 8) > 0.9


def test_a_decay_is_cut_where_it_vanishes_in_the_noise() -> None:
    """1 + 2 exp(-i/3) is below the scatter of 2 % from the 14th sample on and 20 % above the rest at the 7th."""
    decays = found(1 + 2 * np.exp(-INDEX / 3))
    assert share(decays, lambda each: each.steady and 7 < each.count < 28) > 0.9


@pytest.mark.parametrize("change", [-0.3, 0.3])
def test_a_drift_never_settles(change: float) -> None:
    drifts = found(1 + change * INDEX / COUNT)
    assert share(drifts, lambda each: not each.steady and "no steady state" in each.reason) > 0.98


def test_a_step_after_the_middle_never_settles() -> None:
    assert share(found(np.where(INDEX < 45, 1.3, 1.0)), lambda each: not each.steady) > 0.95


@pytest.mark.parametrize("period", [2, 4, 12])
def test_a_periodic_cost_is_steady(period: int) -> None:
    periodic = found(1 + 0.1 * np.sin(2 * np.pi * (INDEX + 0.25) / period))
    assert share(periodic, lambda each: each.steady and each.count <= 1) > 0.95


def test_constant_and_few_samples() -> None:
    assert find_warmup([3.0] * 10) == WarmUp(0, True)
    assert not find_warmup([3.0] * 5).steady
    with pytest.raises(ValueError, match="positive"):
        find_warmup([1.0, 0.0, 1.0])


def test_the_unit_does_not_matter() -> None:
    values = np.where(INDEX < 5, 3.0, 1.0) * np.exp(0.02 * np.random.default_rng(3).standard_normal(COUNT))
    assert find_warmup(values) == find_warmup(values * 1e6)
