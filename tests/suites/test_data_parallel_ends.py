"""Data-parallel training that fails, is killed or cannot start: everybody ends, and the reason is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from impls.building_blocks.data_parallel.gloo import Rendezvous
from impls.building_blocks.data_parallel.processes import train_in_processes
from impls.building_blocks.data_parallel.replica import FlatReplica
from tests.suites.drawing import draw, load


class Faulty(FlatReplica):
    """Rank 1 fails in its second step while rank 0 waits for it."""

    def step(self, number: int) -> float:
        if self.rank.number == 1 and number == 1:
            raise ArithmeticError("the second rank gives up")
        if self.rank.number == 0 and number == 1:
            time.sleep(60)
        return 0.0


class TestEnds:
    INPUTS = draw(hidden=5, depth=3, batch=8, workers=2, steps=4)

    def open_files(self) -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def test_a_failing_rank_is_reported_at_once_and_takes_the_others_along(self) -> None:
        before, started = self.open_files(), time.monotonic()
        with pytest.raises(RuntimeError, match=r"(?s)rank 1 failed.*the second rank gives up"):
            list(train_in_processes(Faulty, Rendezvous, **self.INPUTS))
        assert time.monotonic() - started < 30
        assert self.open_files() == before

    @pytest.mark.parametrize("name", ["processes_flat", "processes_ring", "processes_shared_parameters"])
    def test_a_call_given_up_after_its_first_phase_leaves_nothing_behind(self, name: str) -> None:
        listing = Path(f"/proc/self/task/{threading.get_native_id()}/children")
        before, others = self.open_files(), listing.read_text().split()
        generator = load(name).function(**self.INPUTS)
        next(generator)
        children = set(listing.read_text().split()) - set(others)
        assert len(children) >= 2
        generator.close()
        assert self.open_files() == before
        for child in children:
            assert not Path("/proc", child).exists()

    def test_ranks_die_with_a_parent_that_is_killed(self) -> None:
        script = (
            "import numpy as np, os, time, pathlib\n"
            "from suites.data_parallel.suite import make_inputs\n"
            "from impls.data_parallel.processes_ring import train\n"
            "inputs = make_inputs(np.random.default_rng(0), hidden=5, depth=3, batch=8, workers=2)\n"
            "generator = train.function(**inputs)\n"
            "next(generator)\n"
            "task = pathlib.Path('/proc/self/task', str(os.getpid()))\n"
            "print((task / 'children').read_text(), flush=True)\n"
            "time.sleep(60)\n"
        )
        root = Path(__file__).resolve().parents[2]
        with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            ranks = parent.stdout.readline().split()
            parent.send_signal(signal.SIGKILL)
        assert len(ranks) == 2
        deadline = time.monotonic() + 10
        while any(is_running(rank) for rank in ranks) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(is_running(rank) for rank in ranks)

    def test_a_failing_thread_does_not_leave_the_others_waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = FlatReplica.backward

        def backward(replica: FlatReplica, step: int) -> float:
            if replica.rank.number == 1:
                raise ArithmeticError("the second thread gives up")
            return plain(replica, step)

        monkeypatch.setattr(FlatReplica, "backward", backward)
        with pytest.raises((ArithmeticError, threading.BrokenBarrierError)):
            list(load("threads").function(**self.INPUTS))


def is_running(process: str) -> bool:
    """Whether the process exists and is no zombie whose parent has not asked for it yet."""
    try:
        return Path("/proc", process, "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
