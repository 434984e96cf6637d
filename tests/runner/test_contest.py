"""A contest: who is warmed up when."""

from __future__ import annotations

import dataclasses

import pytest

from harness.discovery import load_catalogue
from harness.known.project import known_project
from harness.plan import Scope, make_plan
from harness.runner.contest import Circumstances, run_contest
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.worker.orders import PROCESSES

SHORT = dataclasses.replace(PROCESSES, blocks=2, warmup_s=0.5)


@pytest.mark.parametrize(("number", "baseline", "again"), [(0, "first", []), (1, "first", ["first"]), (1, "", [])])
def test_in_every_second_round_the_baseline_is_warmed_up_last(number: int, baseline: str, again: list[str]) -> None:
    """The one who is starts ahead."""
    catalogue = load_catalogue(known_project())
    scope = Scope("quick", ("cpu",), 1, 5, instruments=("time",))
    contest = make_plan(catalogue.select(["same/first", "same/second"]), scope, SHORT).contests[0]
    steps: list[str] = []
    with WorkerPool(ForkServer(("numpy",))) as pool:
        engine = Engine(catalogue, SHORT, pool, 1)
        entries = [engine.entry(dataclasses.replace(trial, round=number)) for trial in contest]
        records = run_contest(entries, pool, Circumstances(1, baseline=baseline), steps.append)
    assert [record.status for record in records] == ["ok", "ok"]
    assert all(len(record.measured) == 2 for record in records)
    warmed = [step.removeprefix("warm up ") for step in steps if step.startswith("warm up")]
    assert warmed == ["first", "second", *(f"{name} again" for name in again)]
