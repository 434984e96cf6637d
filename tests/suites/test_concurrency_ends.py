"""Workers that fail, are killed or given up: the caller is told, nobody hangs, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.config import find_project
from harness.contract import Case
from harness.discovery import load_catalogue
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.trials import Trial
from harness.worker.orders import QUICK
from impls.building_blocks.concurrency.pools import KeptPool, PoolTeam, make_processes, make_threads
from impls.building_blocks.concurrency.processes import ProcessTeam
from impls.building_blocks.concurrency.team import Team, WorkerDied, phases
from impls.building_blocks.concurrency.threads import ThreadTeam
from suites.concurrency.job import Job
from tests.suites.test_concurrency import draw, load

ROOT = Path(__file__).resolve().parents[2]
JOB = Job("python", 2, 4, 40)
SEEDS = np.arange(4)

TEAMS: dict[str, Callable[[], Team]] = {
    "threads": lambda: ThreadTeam(JOB),
    "fork": lambda: ProcessTeam("fork", JOB),
    "spawn": lambda: ProcessTeam("spawn", JOB),
    "thread_pool": lambda: PoolTeam(make_threads, JOB),
    "process_pool": lambda: PoolTeam(make_processes, JOB),
    "process_pool_reused": lambda: KeptPool(JOB),
}
PROCESSES = ("fork", "process_pool", "process_pool_reused")


class Unpicklable(Exception):
    """An error that holds a lock."""

    def __init__(self) -> None:
        super().__init__("it cannot travel")
        self.lock = threading.Lock()


def give_up(number: int) -> int:
    raise ArithmeticError(f"piece {number} cannot be done")


def give_up_oddly() -> int:
    raise Unpicklable


def die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def double(number: int) -> int:
    return 2 * number


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """As many children and open files after a call as before; a pool that is kept is there both times."""
    list(phases(KeptPool(JOB), [(double, (1,))]))
    before = len(all_children()), open_files()
    yield
    list(phases(KeptPool(JOB), [(double, (1,))]))
    gc.collect()  # an executor that is broken holds its pipes until it is collected
    assert (len(all_children()), open_files()) == before


def all_children() -> list[int]:
    """Process numbers, of those of a kept pool as well."""
    files = [task / "children" for task in Path("/proc/self/task").iterdir()]
    return [int(child) for file in files for child in file.read_text().split()]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def with_deadline(generator: Iterator[Any]) -> list[Any]:
    """All that the generator yields; it fails the test that a call hangs, rather than to hang as well."""

    def interrupt(number: int, frame: object) -> None:
        raise TimeoutError("the call hangs")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(30)
    try:
        return list(generator)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("team", TEAMS)
def test_what_a_worker_raises_is_raised_in_the_caller(team: str) -> None:
    pieces = [(double, (1,)), (give_up, (2,)), (double, (3,)), (double, (4,))]
    with pytest.raises(ArithmeticError, match="piece 2 cannot be done"):
        with_deadline(phases(TEAMS[team](), pieces))


def test_an_error_that_cannot_be_pickled_comes_as_its_text() -> None:
    with pytest.raises(RuntimeError, match="Unpicklable: it cannot travel"):
        with_deadline(phases(TEAMS["fork"](), [(double, (1,)), (give_up_oddly, ())]))


@pytest.mark.parametrize("team", PROCESSES)
def test_work_that_cannot_be_pickled_is_refused(team: str) -> None:
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        with_deadline(phases(TEAMS[team](), [(double, (1,)), (double, (threading.Lock(),))]))


@pytest.mark.parametrize("team", ["fork", "process_pool"])
def test_a_killed_worker_is_noticed(team: str) -> None:
    with pytest.raises(WorkerDied):
        with_deadline(phases(TEAMS[team](), [(double, (1,)), (die, ()), (double, (2,))]))


def test_a_kept_pool_is_replaced_when_one_of_its_workers_was_killed() -> None:
    with pytest.raises(WorkerDied):
        with_deadline(phases(TEAMS["process_pool_reused"](), [(double, (1,)), (die, ())]))
    _, answers, _ = with_deadline(phases(TEAMS["process_pool_reused"](), [(double, (1,)), (double, (2,))]))
    assert answers.tolist() == [2, 4]


def test_a_killed_partner_ends_the_ping_pong() -> None:
    known = set(all_children())
    generator = load("fork").function(**draw(task="ping_pong", n=1_000, workers=2))
    next(generator)
    (partner,) = set(all_children()) - known
    os.kill(partner, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="in trip"):
        with_deadline(generator)


@pytest.mark.parametrize("name", ["pipe", "pipe_out_of_band", "shared_memory", "shared_memory_kept"])
def test_a_killed_receiver_is_noticed(name: str) -> None:
    known = set(all_children())
    generator = load(name).function(**draw(task="transfer", n=80_000, workers=1))
    next(generator)
    (receiver,) = set(all_children()) - known
    os.kill(receiver, signal.SIGKILL)
    with pytest.raises((WorkerDied, BrokenPipeError, ConnectionResetError)):
        with_deadline(generator)


@pytest.mark.parametrize("name", ["threads", "fork", "thread_pool", "process_pool"])
@pytest.mark.parametrize("task", ["python", "empty"])
def test_a_call_given_up_after_its_first_phase_leaves_nothing_behind(name: str, task: Any) -> None:
    if task == "empty" and name in ("thread_pool", "process_pool"):
        name = "os_fork"
    generator = load(name).function(**draw(task=task, n=40, workers=2))
    next(generator)
    generator.close()


@pytest.mark.parametrize("name", ["pipe", "pipe_out_of_band", "shared_memory", "shared_memory_kept"])
def test_a_transfer_given_up_leaves_no_shared_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = f"own{os.getpid() % 10_000}_"  # other tests that run meanwhile have shared memory too
    monkeypatch.setattr(shared_memory, "_SHM_NAME_PREFIX", f"/{own}")
    generator = load(name).function(**draw(task="transfer", n=8_000, workers=1))
    next(generator)
    assert bool(list(Path("/dev/shm").glob(f"{own}*"))) == name.startswith("shared_memory")
    generator.close()
    assert list(Path("/dev/shm").glob(f"{own}*")) == []


def test_workers_end_with_a_caller_that_is_killed() -> None:
    script = (
        "import numpy as np, os, pathlib, time\n"
        "from impls.concurrency.fork import run\n"
        "from suites.concurrency.suite import make_inputs\n"
        "generator = run.function(**make_inputs(np.random.default_rng(0), 'python', 3, n=10))\n"
        "next(generator)\n"
        "print(pathlib.Path('/proc/self/task', str(os.getpid()), 'children').read_text(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        workers = caller.stdout.readline().split()
        caller.send_signal(signal.SIGKILL)
    assert len(workers) == 3
    deadline = time.monotonic() + 10
    while any(is_running(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_running(worker) for worker in workers)


def is_running(process: str) -> bool:
    """Whether the process exists and is no zombie whose parent has not asked for it yet."""
    try:
        return Path("/proc", process, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("forkserver", {"task": "empty", "workers": 1}),
        ("process_pool_shared", {"task": "sum", "n": 1_000, "workers": 2}),
        ("joblib_loky", {"task": "sum", "n": 1_000, "workers": 2}),
    ],
)
def test_servers_and_kept_pools_end_with_their_worker(name: str, case: dict[str, Any]) -> None:
    """The runner flags a worker whose processes it has to end itself."""
    catalogue = load_catalogue(find_project(ROOT)).select([f"concurrency/{name}"])
    trial = Trial("concurrency", name, Case.of(case), "cpu", "float64", 1, "time", 0, 1)
    with WorkerPool(ForkServer(())) as pool:
        worker = pool.start(dataclasses.replace(Engine(catalogue, QUICK, pool, 1).entry(trial).order, naive=None))
        reply = worker.ask("prepare", 60)
        assert (reply["status"], reply["reason"]) == ("ok", "")
        assert worker.finish() == []
