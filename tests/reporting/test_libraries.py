"""The project's best against the libraries' best."""

from __future__ import annotations

import pytest

from harness.records import Record
from harness.reporting.libraries import duels

from .building import measured
from .test_views import measures_of

LIBRARIES = {"fast_lib": "SciPy", "slow_lib": "scikit-learn"}


def records(own: float, *, sizes: tuple[int, ...] = (1000,)) -> list[Record]:
    costs = {"plain": 1.0, "mine": own, "fast_lib": 0.5, "slow_lib": 0.9}
    return [record for n in sizes for name, cost in costs.items() for record in measured(name, cost, n)]


@pytest.mark.parametrize(
    ("own", "said"),
    [(0.25, "ahead in 1, behind in 0."), (0.5, "ahead in 0, not told apart in 1, behind in 0."), (0.8, "behind in 1")],
)
def test_the_best_of_either_side_meet(own: float, said: str) -> None:
    found = duels(measures_of(records(own)), LIBRARIES)
    (duel,) = found.duels
    assert (duel.own, duel.rival, duel.library) == ("mine", "fast_lib", "SciPy")
    assert duel.estimate.value == pytest.approx(own / 0.5, rel=0.05)
    assert said in found.summary


def test_how_far_behind_is_said_of_the_worst_workload() -> None:
    some = [*records(0.25), *measured("mine", 1.0, 4000), *measured("slow_lib", 0.5, 4000)]
    found = duels(measures_of(some), LIBRARIES)
    assert "ahead in 1, behind in 1" in found.summary
    assert "× 2 of slow_lib's time (n=4000" in found.summary.replace("\u00a0", " ")


def test_without_libraries_or_without_own_there_is_nothing_to_say() -> None:
    assert duels(measures_of(records(0.5)), {}).summary == ""
    everyone = dict.fromkeys(("plain", "mine", "fast_lib", "slow_lib"), "a library")
    assert duels(measures_of(records(0.5)), everyone).duels == ()


def test_a_workload_of_one_side_alone_is_none() -> None:
    assert duels(measures_of(measured("mine", 1.0)), LIBRARIES).duels == ()


def test_intervals_of_all_pairs_hold_together() -> None:
    libraries = {"plain": "a library"}
    (alone,) = duels(measures_of(records(0.25)), libraries).duels
    among, _ = duels(measures_of(records(0.25, sizes=(1000, 4000))), libraries).duels
    one, two = alone.estimate, among.estimate
    assert one.value == pytest.approx(two.value)
    assert two.low < one.low < one.value < one.high < two.high
