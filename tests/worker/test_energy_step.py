"""The energy step of a worker and what the runner makes of its answer, in one process and with a made-up sensor."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import pytest

from harness.contract import Case
from harness.instruments import InstrumentUnavailable
from harness.packages import bind_packages
from harness.records import Record
from harness.runner.contest import Entry
from harness.runner.single import run_single
from harness.trials import Trial
from harness.worker.main import _answer
from harness.worker.memory_limit import MemoryLimit
from harness.worker.orders import QUICK, Module, Order
from harness.worker.session import Session

POWER_W = 50.0
PERIOD_S = 0.002


class SteadySensor:
    """A counter of 50 W that is renewed every 2 ms, until the moment it breaks."""

    def __init__(self, reads: int | None = None) -> None:
        self._reads_left = reads

    def energy_j(self) -> float:
        if self._reads_left is not None:
            self._reads_left -= 1
            if self._reads_left < 0:
                raise InstrumentUnavailable("the counter fell off the bus")
        return time.perf_counter() // PERIOD_S * PERIOD_S * POWER_W

    def power_w(self) -> float:
        return POWER_W


class LocalWorker:
    """Answers in this process, through the JSON that a worker process speaks."""

    def __init__(self, order: Order) -> None:
        self._session = Session(Order.from_json(json.loads(json.dumps(order.to_json()))))
        self.steps: list[str] = []

    def ask(self, step: str, timeout_s: float, **arguments: Any) -> Any:
        self.steps.append(step)
        return json.loads(json.dumps(_answer(self._session, MemoryLimit("cuda"), step, arguments), allow_nan=False))

    def finish(self) -> list[str]:
        return []


class LocalPool:
    def __init__(self) -> None:
        self.workers: list[LocalWorker] = []

    def start(self, order: Order) -> LocalWorker:
        self.workers.append(LocalWorker(order))
        return self.workers[-1]


def run(project: Path, pool: LocalPool, name: str = "plain") -> Record:
    bind_packages(project, ("suites", "impls"))
    code, naive = (
        Module(f"impls.total.{each}", str(project / "impls" / "total" / f"{each}.py")) for each in (name, "plain")
    )
    order = Order(
        trial=Trial("total", name, Case.of({"n": 10}), "cpu", "float32", 1, "energy", round=0, seed=1),
        root=str(project),
        packages=("suites", "impls"),
        suite_module="suites.total.suite",
        code=code,
        naive=naive,
        shared_code="",
        settings=dataclasses.replace(QUICK, energy_window_s=0.05),
    )
    return run_single(Entry(order, "project", 3.0), pool)  # type: ignore[arg-type]


def test_each_window_is_a_sample_and_the_answer_is_checked_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.worker.session.open_sensor", lambda device, gpu_uuid="": SteadySensor())
    pool = LocalPool()
    record = run(project, pool)
    assert record.status == "ok", record.reason
    assert pool.workers[0].steps == ["prepare", "energy", "verify"]
    assert [sample.block for sample in record.samples] == [0, 1, 2, 3, 4, 5]
    assert all(sample.values["total"] > 0 and sample.iterations >= 1 for sample in record.samples)
    assert {"idle_power_w", "update_period_s", "window_s", "sampled_energy_j", "net_energy_j"} <= set(
        record.calibration
    )
    assert Record.from_json(json.loads(json.dumps(record.to_json(), allow_nan=False))) == record


def test_a_sensor_that_breaks_on_the_way_is_unavailable_with_its_reason(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.worker.session.open_sensor", lambda device, gpu_uuid="": SteadySensor(100))
    record = run(project, LocalPool())
    assert record.status == "unavailable"
    assert "the counter fell off the bus" in record.reason
    assert record.samples == ()


def test_an_answer_that_turns_wrong_while_measured_voids_the_figure(
    project: Path, monkeypatch: pytest.MonkeyPatch, add_implementation: Any
) -> None:
    """Right in the first call, which is the check's, and wrong ever after."""
    add_implementation(
        "tired",
        "CALLS.append(1)\nyield (x.sum() + x.dtype.type(shift)) * (len(CALLS) == 1)\nyield x - x.mean()",
        "CALLS = []",
    )
    monkeypatch.setattr("harness.worker.session.open_sensor", lambda device, gpu_uuid="": SteadySensor())
    record = run(project, LocalPool(), "tired")
    assert record.status == "wrong"
    assert "after measuring" in record.reason
    assert record.samples == ()


def test_an_implementation_that_writes_into_its_input_says_that_copies_are_counted(
    project: Path, monkeypatch: pytest.MonkeyPatch, add_implementation: Any
) -> None:
    add_implementation(
        "in_place",
        "total = x.sum() + x.dtype.type(shift)\nyield total\nx -= x.mean()\nyield x",
        arguments=", mutates=('x',)",
    )
    monkeypatch.setattr("harness.worker.session.open_sensor", lambda device, gpu_uuid="": SteadySensor())
    record = run(project, LocalPool(), "in_place")
    assert record.status == "ok", record.reason
    assert "input_copies_included" in record.flags
