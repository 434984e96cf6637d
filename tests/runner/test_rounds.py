"""Which contestants a further round is worth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.contract import Case
from harness.records import Record, Sample, Status
from harness.runner.rounds import Standings
from harness.trials import Trial
from harness.worker.orders import FULL

TRIAL = Trial("topic", "one", Case.of({"n": 1}), "cpu", "float64", 1, "time", 0, 1)
OTHER = dataclasses.replace(TRIAL, implementation="other")
FEW = dataclasses.replace(FULL, rounds=10, fewest_rounds=5, precision=0.02)


def measured(trial: Trial, number: int, scatter: float, status: Status = "ok") -> Record:
    """A round whose process lies ``scatter`` off, in turn above and below."""
    rng = np.random.default_rng(number)
    level = 100.0 * (1 + scatter * (-1) ** number)
    samples = tuple(Sample(block, 1, {"call": level * (1 + 0.001 * rng.normal())}) for block in range(12))
    return Record(dataclasses.replace(trial, round=number), status, samples=samples)


def at(number: int) -> tuple[Trial, ...]:
    return tuple(dataclasses.replace(trial, round=number) for trial in (TRIAL, OTHER))


def test_the_first_rounds_are_run_however_precise() -> None:
    standings = Standings(FEW)
    for number in range(4):
        standings.take(measured(TRIAL, number, 0.0))
        standings.take(measured(OTHER, number, 0.0))
        assert standings.left(at(number + 1)) == at(number + 1)


@pytest.mark.parametrize(("scatter", "more"), [(0.001, False), (0.2, True)])
def test_later_rounds_are_run_until_all_are_precise(scatter: float, more: bool) -> None:
    """One contestant's processes differ by ``scatter``; the other, which is precise, goes on beside it."""
    standings = Standings(FEW)
    for number in range(5):
        standings.take(measured(TRIAL, number, 0.0))
        standings.take(measured(OTHER, number, scatter))
    assert standings.left(at(5)) == (at(5) if more else ())


def test_a_contestant_that_failed_is_not_started_again() -> None:
    standings = Standings(FEW, earlier=[measured(OTHER, 0, 0.0, status="timeout")])
    assert standings.left(at(1)) == at(1)[:1]


def test_records_from_before_an_interruption_count() -> None:
    earlier = [measured(trial, number, 0.0) for trial in (TRIAL, OTHER) for number in range(5)]
    standings = Standings(FEW, earlier)
    assert standings.left(at(5)) == ()
    assert standings.has(dataclasses.replace(TRIAL, round=3))
    assert not standings.has(dataclasses.replace(TRIAL, round=5))
