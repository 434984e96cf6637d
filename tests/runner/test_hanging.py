"""Contestants that hang, in an engine that lives in this process: they are ended, and this process stays as it was."""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config import find_project
from harness.discovery import load_catalogue
from harness.environment import usable_cpu_numbers
from harness.plan import Scope, make_plan
from harness.records import Record
from harness.runner import contest
from harness.runner.run import Engine, execute
from harness.runner.server import ForkServer
from harness.runner.workers import Deadline, WorkerPool
from harness.worker.orders import QUICK
from tests.runner.contestants import HANGING, HARMLESS, RIGHT, WITNESS, Contestant

Add = Callable[..., Path]
IMPATIENT = dataclasses.replace(QUICK, blocks=8, warmup_s=0.001, sample_target_ns=1e5, prepare_timeout_s=2.5)


class Silent:
    def step(self, text: str) -> None: ...

    def advance(self, trials: int) -> None: ...


def measure(project: Path, cases: int = 1) -> dict[str, list[Record]]:
    """All contestants of the project on the first ``cases`` of its cases, by implementation."""
    catalogue = load_catalogue(find_project(project))
    plan = make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), IMPATIENT)
    plan = dataclasses.replace(plan, contests=plan.contests[:cases])
    found: list[Record] = []
    with WorkerPool(ForkServer(("numpy",))) as pool:
        engine = Engine(catalogue, IMPATIENT, pool, 4, usable_cpu_numbers())
        assert execute(plan, engine, found.extend, Silent(), Deadline(None))
    records: dict[str, list[Record]] = {}
    for record in found:
        records.setdefault(record.trial.implementation, []).append(record)
    return records


def is_subreaper() -> bool:
    found = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(37, ctypes.byref(found), 0, 0, 0)
    return bool(found.value)


def test_each_hang_is_ended_with_all_that_it_started(
    nothing_left: Path, project: Path, add_implementation: Add
) -> None:
    for name, contestant in HANGING.items():
        add_implementation(name, contestant.body, contestant.header)
    records = measure(project)
    for name, contestant in HANGING.items():
        (record,) = records[name]
        assert (name, record.status, record.reason) == (name, contestant.status, record.reason)
        assert contestant.reason in record.reason
        assert "no answer within 2.5 s in step 'prepare'" in record.reason
        assert record.samples == ()
    (right,) = records["plain"]
    assert right.status == "ok"
    assert right.measured
    assert not is_subreaper()


def test_a_hang_after_the_check_is_ended_by_the_time_that_a_call_may_take(
    nothing_left: Path, project: Path, add_implementation: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right in the check, hangs while it is warmed up: the call's own time limit (3 s in this suite) ends it."""
    monkeypatch.setattr(contest, "CALIBRATION_S", 0.5)
    add_implementation(
        "hangs",
        f"CALLS.append(1)\nif len(CALLS) > 2:\n    time.sleep(1000)\n{RIGHT}",
        "import time\nCALLS = []",
    )
    (record,) = measure(project)["hangs"]
    assert record.status == "timeout"
    assert record.reason == "no answer within 3.5 s in step 'calibrate', at hangs.py:12"


def test_what_one_changes_no_other_sees(nothing_left: Path, project: Path, add_implementation: Add) -> None:
    """Neither beside it nor in a process that is started after it."""
    contestants: dict[str, Contestant] = {"witness": WITNESS} | {
        name: HARMLESS[name] for name in ("meddles", "takes_threads", "takes_cpus", "closes_output")
    }
    for name, contestant in contestants.items():
        add_implementation(name, contestant.body, contestant.header)
    records = measure(project, cases=2)
    for name in contestants:
        assert [record.status for record in records[name]] == ["ok", "ok"], records[name]
    assert [record.flags for record in records["witness"]] == [(), ()]
    assert [record.flags for record in records["plain"]] == [(), ()]


@pytest.mark.parametrize("step", ["import", "call"])
def test_the_answers_of_a_copy_are_not_heard(
    nothing_left: Path, project: Path, add_implementation: Add, step: str
) -> None:
    """A fork that returns would answer a second time, and each later question would get the answer before."""
    header = "import os\nCALLS = []\n" + ("os.fork()" if step == "import" else "")
    body = "CALLS.append(1)\nif len(CALLS) < 3:\n    os.fork()\n" if step == "call" else ""
    add_implementation("copies", f"{body}{RIGHT}", header)
    (record,) = measure(project)["copies"]
    assert record.status == "ok", record.reason
    assert record.measured
