"""Peak memory of calls that start processes, against known truths.

Each is read in a fresh interpreter: the process of a long test run holds much that a child copies now and then.
"""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from harness.instruments.memory import HostMemoryMeter
from tests.instruments.peaks import MIB, Call, Lap, fresh_mib, mapped, peak_mib, touch, within


class Forked:
    """A process forked from this one that does ``work`` and then waits to be ended."""

    def __init__(self, work: Callable[[], object]) -> None:
        ready, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            held = work()
            os.write(tell, b"x")
            signal.pause()
            del held
            os._exit(0)
        os.close(tell)
        assert os.read(ready, 1) == b"x"
        os.close(ready)

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def forked_call(*works: Callable[[], object]) -> Call:
    def call(lap: Lap) -> None:
        children = [Forked(work) for work in works]
        lap("call")
        for child in children:
            child.end()

    return call


def own_pages_mib(children: int) -> float:
    """What forked copies of this process hold that fill one page of memory and live for as long as the others here.

    Stacks, pages in which they count references, those that NumPy writes to, and those that the parent has written to
    meanwhile, of which a child keeps the old copy: the reading itself writes to some.
    """
    page = mmap.mmap(-1, mmap.PAGESIZE)

    def idle() -> None:
        touch(page)
        time.sleep(0.05)

    own_mib = peak_mib(forked_call(*[idle] * children))
    assert own_mib < 8 * children
    return own_mib


def two_that_map() -> float:
    held = np.ones(100 * MIB, dtype=np.uint8)
    peak = peak_mib(forked_call(*[lambda: mapped(64 * MIB)] * 2)) - own_pages_mib(2)
    assert held.all()
    return peak


def test_two_forked_children_are_read_together() -> None:
    """They inherit what this process holds, which is not theirs."""
    assert fresh_mib(two_that_map) == within(128, blocks=2)


def one_that_writes_to_what_it_inherits() -> float:
    held = np.ones(100 * MIB, dtype=np.uint8)

    def write() -> None:
        held[: 64 * MIB] += 1

    return peak_mib(forked_call(write)) - own_pages_mib(1)


def test_a_forked_child_that_writes_to_what_it_inherits_counts_with_the_copies() -> None:
    """No new page is resident, but one is copied for each that it writes to."""
    assert fresh_mib(one_that_writes_to_what_it_inherits) == within(64)


def two_that_share() -> float:
    shared = mmap.mmap(-1, 64 * MIB)
    return peak_mib(forked_call(*[lambda: touch(shared)] * 2)) - own_pages_mib(2)


def test_memory_that_children_share_counts_once() -> None:
    assert fresh_mib(two_that_share) == within(64, blocks=2)


def one_that_shares_with_its_parent() -> float:
    def call(lap: Lap) -> None:
        shared = mmap.mmap(-1, 64 * MIB)
        touch(shared)
        child = Forked(lambda: touch(shared))
        lap("call")
        child.end()

    return peak_mib(call) - own_pages_mib(1)


def test_memory_that_a_child_shares_with_this_process_counts_once() -> None:
    assert fresh_mib(one_that_shares_with_its_parent) == within(64, blocks=2)


def one_that_frees_again() -> float:
    def transient() -> None:
        mapped(64 * MIB).close()

    return peak_mib(forked_call(transient)) - own_pages_mib(1)


def test_what_a_child_freed_again_counts() -> None:
    """The child's own high-water mark tells, however short the peak was."""
    assert fresh_mib(one_that_frees_again) == within(64)


def one_after_the_other() -> float:
    def call(lap: Lap) -> None:
        mapped(64 * MIB).close()
        subprocess.run(["sleep", "0.5"], check=True)
        child = Forked(lambda: mapped(64 * MIB))
        lap("call")
        child.end()

    return peak_mib(call) - own_pages_mib(1)


def test_peaks_that_do_not_coincide_are_not_added() -> None:
    """First this process, then its child; half a second apart, a hundred looks."""
    assert fresh_mib(one_after_the_other) == within(64, blocks=2)


def one_from_before() -> float:
    child = Forked(lambda: mapped(64 * MIB))

    def call(lap: Lap) -> None:
        lap("call")

    try:
        return peak_mib(call)
    finally:
        child.end()


def test_a_child_from_before_the_call_counts_with_its_growth() -> None:
    """As a pool of processes that an earlier call has started does."""
    assert fresh_mib(one_from_before) < 1.0


def hold_64_mib(ready: object, done: object) -> None:
    block = np.ones(64 * MIB, dtype=np.uint8)
    ready.release()  # type: ignore[attr-defined]
    done.acquire()  # type: ignore[attr-defined]
    del block


def two_of_multiprocessing() -> float:
    context = get_context("fork")

    def call(lap: Lap) -> None:
        ready, done = context.Semaphore(0), context.Semaphore(0)
        children = [context.Process(target=hold_64_mib, args=(ready, done)) for _ in range(2)]
        for child in children:
            child.start()
        for _ in children:
            ready.acquire()
        lap("call")
        for _ in children:
            done.release()
        for child in children:
            child.join()

    meter = HostMemoryMeter()
    meter.measure(call)
    peak = meter.measure(call)["call"] / MIB
    assert meter.saw_children
    assert abs(meter.beside["children_peak_bytes"] / MIB - peak) < 2
    return peak - own_pages_mib(2)


def test_children_of_multiprocessing_are_read() -> None:
    assert fresh_mib(two_of_multiprocessing) == within(128, blocks=2)


def interpreters(count: int, size_mib: int) -> Call:
    program = (
        f"import mmap, sys; block = mmap.mmap(-1, {max(size_mib, 1)} * 2**20)\n"
        f"for page in range(0, {size_mib} * 2**20, mmap.PAGESIZE): block[page] = 1\n"
        "print('ready', flush=True); sys.stdin.read()"
    )

    def call(lap: Lap) -> None:
        children = [
            subprocess.Popen([sys.executable, "-I", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(count)
        ]
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        lap("call")
        for child in children:
            child.communicate()

    return call


def two_empty_interpreters() -> float:
    return peak_mib(interpreters(2, 0))


def two_interpreters() -> float:
    return peak_mib(interpreters(2, 64)) - two_empty_interpreters()


def test_fresh_interpreters_count_with_what_they_are_themselves() -> None:
    """Two that hold 64 MiB each are 128 MiB more than two that hold nothing, and those are a few MiB each."""
    assert 2 * 1 < fresh_mib(two_empty_interpreters) < 2 * 20
    assert fresh_mib(two_interpreters) == within(128, blocks=2)


def one_about_to_be_started() -> float:
    with TemporaryDirectory() as folder:
        fifo = Path(folder) / "fifo"
        os.mkfifo(fifo)
        opening = [(os.POSIX_SPAWN_OPEN, 0, str(fifo), os.O_RDONLY, 0)]

        def spawn_beside_64_mib() -> None:
            block = mapped(64 * MIB)
            os.posix_spawn("/bin/true", ["true"], {}, file_actions=opening)  # waits for a writer
            del block

        def call(lap: Lap) -> None:
            child = os.fork()
            if child == 0:
                spawn_beside_64_mib()
                os._exit(0)
            while not Path(f"/proc/{child}/task/{child}/children").read_text():
                pass
            lap("call")
            fifo.open("wb").close()
            os.waitpid(child, 0)

        return peak_mib(call) - own_pages_mib(1)


def test_a_process_about_to_be_started_is_not_its_parent_again() -> None:
    """Between vfork and exec a process runs in the memory of the one that starts it; this one is held there."""
    assert fresh_mib(one_about_to_be_started) == within(64, blocks=2)
