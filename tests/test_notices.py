"""What a reader is told of a figure besides the figure."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from harness.contract import Case
from harness.notices import FLOOR_FACTOR, floor_ns, notices_of
from harness.records import ISOLATED, Record, Sample
from harness.tables import tidy_table
from harness.trials import Trial

TRIAL = Trial("topic", "one", Case.of({"n": 1}), "cpu", "float64", 1, "time", 0, 1)


def record(between_others: Sequence[float], alone: Sequence[float] = (), overhead_ns: float = 0.0) -> Record:
    samples = [Sample(block, 10, {"call": value}) for block, value in enumerate(between_others)]
    samples += [Sample(-1, 10, {"call": value}, flags=(ISOLATED,)) for value in alone]
    return Record(TRIAL, "ok", samples=tuple(samples), calibration={"loop_overhead_ns": overhead_ns})


STEADY = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2, 99.8, 100.1, 99.9, 100.3]


def test_isolated_samples_do_not_count() -> None:
    both = record(STEADY, alone=[50.0] * 5)
    assert [sample.values["call"] for sample in both.measured] == STEADY
    assert len(both.isolated) == 5


def test_interference_needs_more_than_a_twentieth_and_more_than_chance() -> None:
    assert "interference" in notices_of([record(STEADY, alone=[90.0, 90.1, 90.2, 89.9, 89.8])])
    assert "interference" not in notices_of([record(STEADY, alone=[97.0, 97.1, 97.2, 96.9, 96.8])])
    assert "interference" not in notices_of([record(STEADY, alone=[50.0, 100.2, 99.7, 130.0, 100.0])])
    assert "interference" not in notices_of([record(STEADY, alone=[90.0, 90.0])])


def test_why_sampling_ended_is_told_unless_the_interval_was_narrow_enough() -> None:
    plain = record(STEADY)
    assert notices_of([dataclasses.replace(plain, stopped="precise")]) == ()
    assert notices_of([dataclasses.replace(plain, stopped="budget")]) == ("budget",)
    assert notices_of([dataclasses.replace(plain, stopped="trend")]) == ("trend",)
    mixed = [dataclasses.replace(plain, stopped="precise"), dataclasses.replace(plain, stopped="enough")]
    assert notices_of(mixed) == ()


def test_flags_of_samples_and_of_instruments_are_told_once() -> None:
    throttled = tuple(dataclasses.replace(sample, flags=("throttled",)) for sample in record(STEADY).samples)
    found = dataclasses.replace(record([]), samples=throttled, flags=("unsteady",))
    assert notices_of([found, found]) == ("unsteady", "throttled")


def test_the_floor_is_a_multiple_of_the_loops_own_cost() -> None:
    assert floor_ns([record(STEADY, overhead_ns=40.0), record(STEADY, overhead_ns=60.0)]) == FLOOR_FACTOR * 60.0
    assert floor_ns([]) == 0.0


def test_a_figure_under_the_floor_is_not_shown() -> None:
    """An empty function's time is the loop's, so the table says what it is under instead of a time."""
    (shown,) = tidy_table([record(STEADY, overhead_ns=10.0)], {}, {}).to_dict("records")
    assert 99.0 < shown["estimate"] < 101.0
    (hidden,) = tidy_table([record(STEADY, overhead_ns=90.0)], {}, {}).to_dict("records")
    assert hidden["estimate"] != hidden["estimate"]
    assert hidden["reason"] == "under 270 ns, 3 times what nothing at all comes to in the timing loop"
