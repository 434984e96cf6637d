"""What is left of a run that was cut short, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.config import find_project
from harness.discovery import load_catalogue
from harness.fingerprint import Fingerprints
from harness.plan import Plan, Scope, make_plan
from harness.records import Record, Sample
from harness.runner.resuming import AVAILABLE, IN_PART, NOT_MEASURED, UNKNOWN, Remainder, remainder
from harness.trials import Trial
from harness.worker.orders import QUICK

TWO_ROUNDS = dataclasses.replace(QUICK, rounds=2, fewest_rounds=2)
MACHINE = {"machine": {"cpu": "one", "load_average": [0.0]}, "gpus": [], "packages": {}, "bakeoff": "0"}
SAMPLES = tuple(Sample(block, 1, {"sum": 5.0, "centre": 6.0}) for block in range(5))


class Run:
    """A plan of the small project with two contestants, and the records of a run that finished it."""

    def __init__(self, project: Path, seed: int = 1, environment: dict[str, object] | None = None) -> None:
        self.catalogue = load_catalogue(find_project(project))
        self.fingerprints = Fingerprints(self.catalogue, TWO_ROUNDS, environment or MACHINE)
        scope = Scope("quick", ("cpu",), 1, seed, instruments=("time", "memory"))
        self.plan: Plan = make_plan(self.catalogue, scope, TWO_ROUNDS)

    def records(self) -> list[Record]:
        """In batches as they are stored: contests with the memory of their contestants in the first round."""
        found = []
        for number, contest in enumerate(self.plan.contests):
            memory = [dataclasses.replace(trial, instrument="memory") for trial in contest if trial.round == 0]
            batch = [self.record(trial) for trial in (*contest, *memory)]
            found += [dataclasses.replace(record, batch=f"b{number}", batch_size=len(batch)) for record in batch]
        return found

    def record(self, trial: Trial) -> Record:
        return Record(trial, "ok", samples=SAMPLES, fingerprint=self.fingerprints.of(trial))

    def left(self, records: Sequence[Record]) -> Remainder:
        return remainder(self.plan, records, self.fingerprints.of, TWO_ROUNDS)


@pytest.fixture
def run(project: Path, add_implementation: Callable[..., Path]) -> Callable[..., Run]:
    add_implementation("other", "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()")
    return lambda **changes: Run(project, **changes)


def test_nothing_is_left_of_a_finished_run(run: Callable[..., Run]) -> None:
    found = run()
    left = found.left(found.records())
    assert (left.reasons, left.superseded) == ({}, ())
    assert list(left.plan.trials) == []
    assert len(left.kept) == len(list(found.plan.trials))


def test_everything_is_left_of_a_run_that_was_never_begun(run: Callable[..., Run]) -> None:
    found = run()
    left = found.left([])
    assert left.plan == found.plan
    assert set(left.reasons) == set(found.plan.trials)
    assert set(left.reasons.values()) == {NOT_MEASURED}


def test_a_batch_that_was_stored_in_part_is_measured_again_whole(run: Callable[..., Run]) -> None:
    found = run()
    records = found.records()
    torn = records[0].batch
    left = found.left(records[1:])
    again = {record.trial for record in records if record.batch == torn}
    assert set(left.reasons) == again
    assert left.reasons[records[1].trial] == IN_PART
    assert {record.trial for record in left.superseded} == again - {records[0].trial}
    assert not again & {record.trial for record in left.kept}


def test_changed_code_is_measured_again_with_those_beside_it(
    run: Callable[..., Run], add_implementation: Callable[..., Path]
) -> None:
    records = run().records()
    add_implementation("other", "yield x.sum() + x.dtype.type(shift) * 1\nyield x - x.mean()")
    left = run().left(records)
    reasons = {(trial.implementation, reason) for trial, reason in left.reasons.items() if trial.instrument == "time"}
    assert reasons == {
        ("other", "changed since: code"),
        ("plain", "it is timed beside other, which is to be measured"),
    }
    assert left.kept == ()


def test_a_changed_suite_is_changed_code_of_all(run: Callable[..., Run], project: Path) -> None:
    records = run().records()
    (project / "suites" / "total" / "helpers.py").write_text("")
    assert set(run().left(records).reasons.values()) == {"changed since: code"}


def test_a_changed_environment_or_seed_is_told(run: Callable[..., Run]) -> None:
    records = run().records()
    passing = run(environment=MACHINE | {"machine": {"cpu": "one", "load_average": [9.0]}})
    assert passing.left(records).reasons == {}
    other = run(environment=MACHINE | {"packages": {"numpy": "99"}})
    assert set(other.left(records).reasons.values()) == {"changed since: environment"}
    assert set(run(seed=2).left(records).reasons.values()) == {"changed since: seed"}


def test_changed_parameters_are_told(run: Callable[..., Run]) -> None:
    found = run()
    records = found.records()
    longer = Fingerprints(found.catalogue, dataclasses.replace(TWO_ROUNDS, sample_target_ns=1e9), MACHINE)
    left = remainder(found.plan, records, longer.of, TWO_ROUNDS)
    assert set(left.reasons.values()) == {"changed since: parameters"}


def test_records_of_before_fingerprints_are_measured_again(run: Callable[..., Run]) -> None:
    found = run()
    old = [dataclasses.replace(record, fingerprint={}) for record in found.records()]
    assert set(found.left(old).reasons.values()) == {UNKNOWN}


def test_what_was_unavailable_and_is_no_longer_is_measured(run: Callable[..., Run]) -> None:
    found = run()
    records = [
        dataclasses.replace(record, status="unavailable", samples=()) if record.trial.instrument == "memory" else record
        for record in found.records()
    ]
    left = found.left(records)
    assert {reason for trial, reason in left.reasons.items() if trial.instrument == "memory"} == {AVAILABLE}


def test_a_contestant_that_failed_is_finished(run: Callable[..., Run]) -> None:
    """It is not started again in later rounds, and the other's later rounds are still looked for."""
    found = run()
    records = [
        dataclasses.replace(record, status="failed", samples=()) if record.trial.implementation == "other" else record
        for record in found.records()
        if record.trial.implementation == "plain" or record.trial.round == 0
    ]
    sizes = {record.batch: sum(other.batch == record.batch for other in records) for record in records}
    records = [dataclasses.replace(record, batch_size=sizes[record.batch]) for record in records]
    assert found.left(records).reasons == {}
    without_last = [record for record in records if record.batch != records[-1].batch]
    assert {trial.implementation for trial in found.left(without_last).reasons} == {"plain"}
