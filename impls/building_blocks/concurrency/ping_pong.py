"""One byte to and fro over two pipes, between the caller and a worker that is a thread or a forked process.

Everything but the worker is the same for both: pipes, byte, loop and CPUs. Each of the two blocks until the other has
written, so that one round trip on one CPU switches twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from threading import Thread

import numpy as np

from harness.contract import Unavailable
from impls.building_blocks.concurrency.processes import start_forked
from impls.building_blocks.concurrency.team import WorkerDied
from suites.concurrency.job import Cpus, Job

BYTES = [bytes([value]) for value in range(256)]


def with_a_thread(job: Job, seed: int) -> Iterator[np.ndarray | None]:
    """The phases of one call: start the worker and play one trip, then ``job.size`` of them, then let it end."""
    with _pipes() as (there, back):

        def start(serve: Callable[[], None]) -> Callable[[], None]:
            thread = Thread(target=serve)
            thread.start()
            return thread.join

        yield from _play(job, seed, there, back, lambda: send_back(there.read, back.write), start)


def with_a_process(job: Job, seed: int) -> Iterator[np.ndarray | None]:
    """The same with a forked process, in which either side closes the ends that are the other's."""
    with _pipes() as (there, back):

        def serve_here() -> None:
            there.close_write()
            back.close_read()
            send_back(there.read, back.write)

        def start(serve: Callable[[], None]) -> Callable[[], None]:
            process = start_forked(serve)
            there.close_read()
            back.close_write()
            return process.join

        yield from _play(job, seed, there, back, serve_here, start)


def rally(write: int, read: int, seed: int, trips: int) -> int:
    """Play so many round trips; the sum of the bytes that came back.

    :raises WorkerDied: nobody sends them back any more.
    """
    total = 0
    try:
        for trip in range(trips):
            os.write(write, BYTES[(seed + trip) & 255])
            total += os.read(read, 1)[0]
    except (IndexError, BrokenPipeError) as error:
        raise WorkerDied(f"nobody sends the byte back any more, in trip {trip} of {trips}") from error
    return total


def send_back(read: int, write: int) -> None:
    """Send every byte back until nobody sends one any more."""
    while byte := os.read(read, 1):
        os.write(write, byte)


def cpus_of(cpus: Cpus) -> tuple[Set[int], Set[int]]:
    """On which CPUs the caller and the worker have to stay; none: wherever they are.

    :raises Unavailable: there are fewer CPUs than that takes.
    """
    if cpus == "any":
        return set(), set()
    usable = sorted(os.sched_getaffinity(0))
    if cpus == "one":
        return {usable[0]}, {usable[0]}
    if len(usable) < 2:
        raise Unavailable("needs two CPUs, and this process may use one")
    return {usable[0]}, {usable[1]}


@contextmanager
def kept_on(cpus: Set[int]) -> Iterator[None]:
    """Keep this thread, and what it starts, on ``cpus``; none: wherever they are."""
    before = os.sched_getaffinity(0)
    if cpus:
        os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class _Pipe:
    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        self._open = {self.read, self.write}

    def close_read(self) -> None:
        self._close(self.read)

    def close_write(self) -> None:
        self._close(self.write)

    def _close(self, end: int) -> None:
        if end in self._open:
            self._open.remove(end)
            os.close(end)


@contextmanager
def _pipes() -> Iterator[tuple[_Pipe, _Pipe]]:
    there, back = _Pipe(), _Pipe()
    try:
        yield there, back
    finally:
        for pipe in (there, back):
            pipe.close_read()
            pipe.close_write()


def _play(
    job: Job,
    seed: int,
    there: _Pipe,
    back: _Pipe,
    answer: Callable[[], None],
    start: Callable[[Callable[[], None]], Callable[[], None]],
) -> Iterator[np.ndarray | None]:
    caller_cpus, worker_cpus = cpus_of(job.cpus)

    def serve() -> None:
        if worker_cpus:
            os.sched_setaffinity(0, worker_cpus)
        answer()

    with kept_on(caller_cpus):
        wait = start(serve)
        try:
            rally(there.write, back.read, 0, 1)
            yield None
            yield np.array([rally(there.write, back.read, seed, job.size)], dtype=np.int64)
        finally:
            there.close_write()
            wait()
        yield None
