"""Worker processes: where they come from, what they share, and that they stay where they are put."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.popen_forkserver import Popen
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.config import find_project
from harness.contract import Case
from harness.discovery import load_catalogue
from harness.known.measure import Silent
from harness.known.project import known_project
from harness.plan import Plan, Scope, make_plan
from harness.records import Record
from harness.runner.contest import Circumstances, run_contest
from harness.runner.run import Engine, execute
from harness.runner.server import ForkServer, server_pids
from harness.runner.workers import Deadline, Worker, WorkerPool
from harness.trials import Trial
from harness.worker.orders import QUICK, Order
from tests.runner.contestants import HANGING, HARMLESS, LITTERED

ROOT = Path(__file__).parents[2]
SHORT = dataclasses.replace(QUICK, blocks=12, warmup_s=0.001, sample_target_ns=1e5, isolated_samples=3)


@pytest.fixture
def pool(nothing_left: Path) -> Iterator[WorkerPool]:
    with WorkerPool(ForkServer(("numpy",))) as pool:
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


def test_a_pool_does_not_use_the_server_of_another_one(pool: WorkerPool) -> None:
    _, (order, *_) = engine(pool)
    marks = []
    with WorkerPool(ForkServer(("numpy",))) as other:
        for each in (pool, other, pool):
            worker = each.start(order)
            marks.append(environment_of(worker)["BAKEOFF_POOL"])
            worker.finish()
    assert marks == [pool.mark, other.mark, pool.mark]


def test_a_bare_worker_is_an_interpreter_without_what_the_others_find_imported(nothing_left: Path) -> None:
    catalogue = load_catalogue(find_project(ROOT))
    trial = Trial("concurrency", "os_fork", Case.of({"task": "empty", "workers": 1}), "cpu", "float64", 1, "time", 0, 1)
    with WorkerPool(ForkServer(("numpy", "wave"))) as pool:
        order = Engine(catalogue, SHORT, pool, 2).entry(trial).order
        assert order.bare
        worker = pool.start(order)
        reply = worker.ask("prepare", 60)
        assert (reply["status"], reply["reason"]) == ("ok", "")
        command = psutil.Process(worker.pid).cmdline()
        assert "harness.worker.fresh" in command[2]
        assert json.loads(command[-1]) == ["numpy.random", "harness.worker.main"]
        assert server_pids() == set()
        worker.finish()


PROGRAM = """
import pathlib
with pathlib.Path("imports").open("a") as file:
    file.write("x")

def main():
    from harness.discovery import load_catalogue
    from harness.known.project import known_project
    from harness.plan import Scope, make_plan
    from harness.runner.run import Engine
    from harness.runner.server import ForkServer
    from harness.runner.workers import WorkerPool
    from harness.worker.orders import QUICK
    catalogue = load_catalogue(known_project())
    trial = next(make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), QUICK).trials)
    with WorkerPool(ForkServer(("numpy",))) as pool:
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


def test_settings_may_begin_with_the_blocks_at_once(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    made, orders = engine(pool)
    settled: list[str] = []
    monkeypatch.setattr("harness.runner.contest._Contestant._settle_in", lambda self: settled.append(self.name))
    for share, waits in ((0.0, False), (0.5, True)):
        entries = [made.entry(order.trial) for order in orders]
        at_once = dataclasses.replace(SHORT, settle_share=share)
        entries = [dataclasses.replace(e, order=dataclasses.replace(e.order, settings=at_once)) for e in entries]
        for record in run_contest(entries, pool, Circumstances(2, baseline="first"), lambda step: None):
            assert record.measured
            assert any(sample.warmup for sample in record.samples)
        assert bool(settled) == waits


@pytest.mark.parametrize("threads", [1, 2])
def test_a_worker_has_no_thread_beside_those_that_it_was_given(pool: WorkerPool, threads: int) -> None:
    """One that OpenBLAS had started before it was told of the limit would take its CPU during the first samples."""
    _, orders = engine(pool)
    order = dataclasses.replace(orders[0], trial=dataclasses.replace(orders[0].trial, threads=threads))
    worker = pool.start(order)
    assert worker.ask("load", 60)["status"] == "ok"
    assert worker.ask("calibrate", 60)["status"] == "ok"
    (own,) = psutil.Process(worker.pid).children()
    assert 1 <= own.num_threads() <= threads
    assert worker.ask("sample", 60)["status"] == "ok"
    assert "threads_changed" not in worker.ask("verify", 60)["flags"]
    worker.finish()


def test_a_server_may_be_started_before_its_pool(nothing_left: Path) -> None:
    server = ForkServer(("numpy",))
    server.start_anew(3)
    begun = server_pids()
    with WorkerPool(server) as pool:
        _, orders = engine(pool)
        worker = pool.start(orders[0])
        assert environment_of(worker)["PYTHONHASHSEED"] == "3"
        worker.finish()
        assert server_pids() == begun
    assert server_pids() == set()
    assert not server.folder.exists()


def test_what_starts_the_server_imports_little() -> None:
    """It goes on importing while the server does."""
    code = "import sys, harness.runner.server; print(*{'numpy', 'psutil', 'harness.contract'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_answers_are_checked_again_once_for_each_server(pool: WorkerPool) -> None:
    made, orders = engine(pool)
    shared = dataclasses.replace(made, settings=dataclasses.replace(SHORT, rounds_per_server=4))
    trials = [dataclasses.replace(orders[0].trial, round=number) for number in range(9)]
    assert [shared.circumstances(trial).verify for trial in trials] == [number % 4 == 0 for number in range(9)]
    assert all(made.circumstances(trial).verify for trial in trials)


def test_rounds_share_servers_as_the_settings_say(pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dataclasses.replace(SHORT, rounds=5, fewest_rounds=5, rounds_per_server=2, blocks=2)
    catalogue = load_catalogue(known_project())
    plan = make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), settings)
    plan = Plan(tuple(contest for contest in plan.contests if contest[0].case["kind"] == "python"), (), ())
    begun: list[int] = []
    records: list[Record] = []
    new_server = pool.new_server

    def counted(seed: int) -> None:
        begun.append(len({record.trial.round for record in records}))
        new_server(seed)

    monkeypatch.setattr(pool, "new_server", counted)
    assert execute(plan, Engine(catalogue, settings, pool, 2), records.extend, Silent(), Deadline(None))
    assert begun == [2, 4]
    assert {record.trial.round for record in records} == set(range(5))


KILLED = """
import sys
from pathlib import Path
from typing import Any
from harness.config import find_project
from harness.contract import Case
from harness.discovery import load_catalogue
from harness.plan import Scope, make_plan
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.worker.orders import QUICK

catalogue = load_catalogue(find_project(Path(sys.argv[1]))).select(["total/hangs"])
trial = next(make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), QUICK).trials)
with WorkerPool(ForkServer(("numpy",))) as pool:
    pool.start(Engine(catalogue, QUICK, pool, 1).entry(trial).order).ask("prepare", 600)
"""


def test_when_the_runner_is_killed_its_workers_end_with_all_that_they_started(
    nothing_left: Path, project: Path, add_implementation: Callable[..., Path]
) -> None:
    """Even one that never looks up: nobody is there any more who could end it."""
    contestant = HANGING["hangs_with_litter"]
    add_implementation("hangs", contestant.body, contestant.header)
    runner = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project)], cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    end_s = time.monotonic() + 60
    # The last thing it makes before it hangs: by then its shared memory is there and known to Python's tracker.
    while not list(nothing_left.rglob(LITTERED)):
        assert runner.poll() is None
        assert time.monotonic() < end_s
        time.sleep(0.01)
    runner.kill()
    assert runner.wait() == -signal.SIGKILL


def test_what_a_worker_prints_takes_no_room(nothing_left: Path, pool: WorkerPool, project: Path) -> None:
    """A gigabyte is printed, and neither the disk nor the runner holds it."""
    (project / "impls" / "total" / "prints.py").write_text(
        f'"""prints."""\n{HARMLESS["prints"].header}\nraise RuntimeError("done")\n'
        "from harness.contract import implements\nfrom suites.total.suite import SUITE\n\n\n"
        "@implements(SUITE)\ndef total(x, shift):\n    yield 0\n"
    )
    catalogue = load_catalogue(find_project(project)).select(["total/prints"])
    plan = make_plan(catalogue, Scope("quick", ("cpu",), 1, 7, instruments=("time",)), SHORT)
    worker = pool.start(Engine(catalogue, SHORT, pool, 1).entry(next(plan.trials)).order)
    assert worker.ask("prepare", 60)["reason"].startswith("RuntimeError: done")
    assert sum(file.stat().st_size for file in nothing_left.rglob("*")) < 1 << 20
    assert psutil.Process(worker.pid).memory_full_info().uss < 64 << 20
    worker.finish()


def test_a_worker_can_be_ended_while_another_thread_waits_for_it(pool: WorkerPool) -> None:
    _, orders = engine(pool)
    worker = pool.start(orders[0])
    replies: list[str] = []
    waiting = threading.Thread(target=lambda: replies.append(worker.ask("ceiling", 600)["reason"]))
    waiting.start()
    while not worker.busy:
        time.sleep(0.001)
    pool.end_all()
    waiting.join(60)
    assert replies == ["ended by the runner in step 'ceiling'"]
    assert worker.ended


def test_a_fork_server_that_was_killed_is_replaced(pool: WorkerPool) -> None:
    """The workers that it has made live on, and the next server has the same environment."""
    _, orders = engine(pool)
    pool.new_server(7)
    first = pool.start(orders[0])
    assert first.ask("hello", 60)["status"] == "ok"
    (server,) = [child for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
    server.kill()
    while server.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.001)
    second = pool.start(orders[1])
    assert environment_of(second)["PYTHONHASHSEED"] == "7"
    assert first.ask("prepare", 60)["status"] == "ok"
    first.finish()
    second.finish()


def test_a_keeper_that_was_started_just_before_its_server_died_leaves_the_others_folder_alone(
    nothing_left: Path, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner never hears of it; it must not take the runner for gone and remove what belongs to all workers."""
    launch, unheard = Popen._launch, []

    def killed_meanwhile(popen: Any, process: Any) -> None:
        launch(popen, process)
        if not unheard:
            unheard.append(popen.pid)
            raise EOFError

    monkeypatch.setattr(Popen, "_launch", killed_meanwhile)
    _, orders = engine(pool)
    worker = pool.start(orders[0])
    (lost,) = unheard
    end_s = time.monotonic() + 30
    while psutil.pid_exists(lost):
        assert time.monotonic() < end_s
        time.sleep(0.01)
    assert worker.ask("prepare", 60)["status"] == "ok"
    assert worker.finish() == []
