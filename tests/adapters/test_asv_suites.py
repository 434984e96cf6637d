"""The generated asv benchmarks, called as asv calls them."""

from __future__ import annotations

import pytest

from harness.adapters.asv_suites import suites
from harness.adapters.asv_suites.suites import _SuiteBenchmark

estimation: type[_SuiteBenchmark] = vars(suites)["estimation"]
ONE, ANOTHER = "closed_form", "newton"


def pair(implementation: str) -> tuple[str, str]:
    return next(key for key in estimation.contestants if key[0] == implementation)


@pytest.fixture
def generated() -> _SuiteBenchmark:
    return estimation()


def test_a_set_up_before_every_call_prepares_once(generated: _SuiteBenchmark) -> None:
    """asv times a number of calls that take about as long as its samples, each after a set-up."""
    generated.setup(*pair(ONE))
    prepared = generated.call
    assert generated.number >= 1
    for _ in range(3):
        generated.setup(*pair(ONE))
        generated.time_call(*pair(ONE))
    assert generated.call is prepared
    generated.setup(*pair(ANOTHER))
    assert generated.call is not prepared


def test_what_does_not_exist_is_not_measured(generated: _SuiteBenchmark) -> None:
    with pytest.raises(NotImplementedError, match="closed_form does not do n=0"):
        generated.setup(ONE, "n=0")


def test_a_sample_is_one_call_at_least(generated: _SuiteBenchmark) -> None:
    generated.setup(*pair(ONE))
    assert generated.call.count_within(0.0) == 1
    assert generated.call.count_within(1e6) > 1
