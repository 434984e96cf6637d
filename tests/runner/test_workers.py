"""Worker processes: where they come from, what they share, and that they stay where they are put."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.discovery import load_catalogue
from harness.known.project import known_project
from harness.plan import Scope, make_plan
from harness.runner.contest import Circumstances, run_contest
from harness.runner.run import Engine
from harness.runner.workers import Worker, WorkerPool
from harness.worker.orders import QUICK, Order

ROOT = Path(__file__).parents[2]
SHORT = dataclasses.replace(QUICK, blocks=12, warmup_s=0.001, sample_target_ns=1e5, isolated_samples=3)


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(("numpy",)) as pool:
        yield pool


def engine(pool: WorkerPool, cpus: tuple[int, ...] = ()) -> tuple[Engine, tuple[Order, ...]]:
    """An engine and the orders of one contest of known work."""
    catalogue = load_catalogue(known_project())
    plan = make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), SHORT)
    contest = next(contest for contest in plan.contests if contest[0].case["kind"] == "python")
    made = Engine(catalogue, SHORT, pool, 2, cpus)
    return made, tuple(made.entry(trial).order for trial in contest)


def environment_of(worker: Worker) -> dict[str, str]:
    assert worker.ask("prepare", 60)["status"] == "ok"
    return psutil.Process(worker.pid).environ()


def test_each_server_has_a_hash_seed_and_an_environment_size_of_its_own(pool: WorkerPool) -> None:
    _, orders = engine(pool)
    before = dict(os.environ)
    found = []
    for seed in (1, 5000):
        pool.new_server(seed)
        workers = [pool.start(order) for order in orders[:2]]
        found.append([environment_of(worker) for worker in workers])
        with pytest.raises(RuntimeError, match="2 workers are left"):
            pool.new_server(3)
        for worker in workers:
            worker.finish()
    (first, again), (second, _) = found
    assert first["PYTHONHASHSEED"] == again["PYTHONHASHSEED"] == "1"
    assert second["PYTHONHASHSEED"] == "5000"
    assert len(first["BAKEOFF_PADDING"]) != len(second["BAKEOFF_PADDING"])
    assert dict(os.environ) == before


PROGRAM = """
import pathlib
with pathlib.Path("imports").open("a") as file:
    file.write("x")

def main():
    from harness.discovery import load_catalogue
    from harness.known.project import known_project
    from harness.plan import Scope, make_plan
    from harness.runner.run import Engine
    from harness.runner.workers import WorkerPool
    from harness.worker.orders import QUICK
    catalogue = load_catalogue(known_project())
    trial = next(make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), QUICK).trials)
    with WorkerPool(("numpy",)) as pool:
        worker = pool.start(Engine(catalogue, QUICK, pool, 1).entry(trial).order)
        print(worker.ask("prepare", 60)["status"])
        worker.finish()

if __name__ == "__main__":
    main()
"""


def test_a_worker_does_not_import_the_main_module_of_the_program(tmp_path: Path) -> None:
    """It may be large, and every worker would import it anew."""
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "ok", done.stderr
    assert (tmp_path / "imports").read_text() == "x"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not keep processes on a CPU")
def test_contestants_of_one_contest_are_timed_on_one_cpu(pool: WorkerPool) -> None:
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    made, orders = engine(pool, cpus)
    entries = [made.entry(order.trial) for order in orders]
    circumstances = made.circumstances(orders[0].trial)
    assert circumstances.cpu in cpus
    records = run_contest(entries, pool, circumstances, lambda step: None)
    assert [record.status for record in records] == ["ok"] * 3
    assert {record.calibration["cpu"] for record in records} == {circumstances.cpu}
    later = {made.circumstances(dataclasses.replace(orders[0].trial, round=number)).cpu for number in range(20)}
    assert later == set(cpus)
    several_threads = dataclasses.replace(orders[0].trial, threads=2)
    assert made.circumstances(several_threads).cpu is None


def test_a_contest_ends_with_samples_taken_alone_and_says_why_it_ended(pool: WorkerPool) -> None:
    made, orders = engine(pool)
    records = run_contest(
        [made.entry(order.trial) for order in orders], pool, Circumstances(2, baseline="first"), lambda step: None
    )
    for record in records:
        assert record.stopped in ("precise", "enough", "budget", "trend")
        assert len(record.isolated) == 3
        assert {sample.block for sample in record.measured} <= set(range(12))
        assert any(sample.warmup for sample in record.samples)
        assert record.calibration["loop_overhead_ns"] > 0
        assert record.started_at is not None
    blocks = {record.trial.implementation: len(record.measured) for record in records}
    assert blocks["first"] == max(blocks.values())
