"""When the gate decides: its promises as properties, and its error and power by simulation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.gate.deciding import ERROR, LOOKS, SequentialRule, follow, forecast

# Medians of processes scatter by 1.6 % on a virtual machine with two CPUs.
SCATTER = 0.016
THRESHOLD = 0.02

ratios = st.lists(st.floats(0.5, 2.0), min_size=LOOKS[-1], max_size=LOOKS[-1])
comparisons = st.integers(1, 500)


@given(comparisons)
def test_the_error_is_spent_once(count: int) -> None:
    rule = SequentialRule(count)
    spent = [1 - rule.confidence(look) for look in rule.looks]
    assert sum(spent) * count == pytest.approx(ERROR)
    assert all(share > 0 for share in spent)


@given(st.integers(1, 40))
def test_between_two_looks_counts_the_later_one(rounds: int) -> None:
    rule = SequentialRule()
    later = next((look for look in LOOKS if look >= rounds), LOOKS[-1])
    assert rule.confidence(rounds) == rule.confidence(later)


@settings(max_examples=30)
@given(ratios, comparisons, st.floats(0.005, 0.2))
def test_a_decision_is_what_its_interval_says(values: list[float], count: int, threshold: float) -> None:
    decision = follow(SequentialRule(count), values, threshold)
    low, high = decision.ratio.low, decision.ratio.high
    assert decision.rounds in LOOKS
    assert low <= decision.ratio.value <= high
    assert (decision.verdict == "slower") == (low > 1 + threshold)
    assert (decision.verdict == "faster") == (high < 1 / (1 + threshold))
    assert (decision.verdict == "undecided") <= (decision.rounds == LOOKS[-1])


@settings(max_examples=30)
@given(ratios, comparisons)
def test_swapping_the_sides_swaps_the_verdict(values: list[float], count: int) -> None:
    rule = SequentialRule(count)
    there, back = follow(rule, values, THRESHOLD), follow(rule, [1 / value for value in values], THRESHOLD)
    swapped = {"slower": "faster", "faster": "slower"}
    assert back.verdict == swapped.get(there.verdict, there.verdict)
    assert back.rounds == there.rounds


@settings(max_examples=30)
@given(ratios, comparisons, st.integers(2, 50))
def test_more_comparisons_never_decide_earlier(values: list[float], count: int, more: int) -> None:
    few, many = (follow(SequentialRule(each), values, THRESHOLD) for each in (count, count * more))
    assert many.rounds >= few.rounds


def test_equal_costs_are_the_same_at_the_first_look() -> None:
    """As peak memory commonly is: to the byte, in every process."""
    decision = follow(SequentialRule(300), [1.0] * LOOKS[-1], THRESHOLD)
    assert (decision.verdict, decision.rounds) == ("same", LOOKS[0])


def test_before_the_first_look_nothing_is_decided() -> None:
    rule = SequentialRule()
    head = {(number, block): 2.0 for number in range(LOOKS[0] - 1) for block in range(28)}
    decision = rule.judge(head, dict.fromkeys(head, 1.0), LOOKS[0] - 1, THRESHOLD)
    assert (decision.verdict, decision.rounds) == ("undecided", LOOKS[0] - 1)


def test_wrong_rules_are_refused() -> None:
    for wrong in ({"looks": ()}, {"looks": (7, 7)}, {"looks": (1, 7)}, {"error": 0.0}, {"comparisons": 0}):
        with pytest.raises(ValueError, match=r"looks must be rising|an error in"):
            SequentialRule(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the first look takes 7 pairs, not 6"):
        follow(SequentialRule(), [1.0] * 6, THRESHOLD)


@pytest.mark.parametrize("count", [1, 40])
def test_identical_code_is_hardly_ever_called_different(count: int) -> None:
    assert forecast(SequentialRule(count), SCATTER, THRESHOLD).different < 0.01


def test_identical_code_is_mostly_decided() -> None:
    found = forecast(SequentialRule(), SCATTER, THRESHOLD)
    assert found.undecided < 0.05
    assert LOOKS[0] <= found.mean_rounds < 14


def test_a_twentieth_more_is_found() -> None:
    found = forecast(SequentialRule(), SCATTER, THRESHOLD, truth=1.05)
    assert found.different > 0.98
    assert found.mean_rounds < 9


def test_two_per_cent_more_are_found_at_a_threshold_of_one_where_it_is_quiet() -> None:
    assert forecast(SequentialRule(), 0.007, 0.01, truth=1.02).different > 0.8


def test_at_the_threshold_itself_the_error_holds() -> None:
    """The hardest truth: called slower in half of the error at most."""
    edge = math.nextafter(1 + THRESHOLD, 0)
    assert forecast(SequentialRule(), SCATTER, THRESHOLD, truth=edge).different < ERROR / 2 + 0.01


def test_a_forecast_repeats() -> None:
    one, other = (forecast(SequentialRule(), 0.02, 0.02, draws=50, seed=3) for _ in range(2))
    assert one == other
