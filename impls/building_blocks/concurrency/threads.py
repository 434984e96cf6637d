"""Teams of threads of this process, which share whatever it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

import numpy as np

from impls.building_blocks.concurrency.foreign import pure
from impls.building_blocks.concurrency.foreign.threads import Threads
from impls.building_blocks.concurrency.pieces import Piece, in_order, shares_of
from suites.concurrency.job import Job


class ThreadTeam:
    """As many threads as the job has workers."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._threads = Threads(0)

    def start(self) -> None:
        self._threads = Threads(self._job.workers)

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        return in_order(self._threads.run(shares_of(pieces, self._job.workers)), len(pieces))

    def join(self) -> None:
        self._threads.join()

    def abandon(self) -> None:
        self._threads.join()


class EmptyThreads:
    """Threads that are started and end, and that is all."""

    def __init__(self, job: Job) -> None:
        self._workers = job.workers
        self._threads: list[Thread] = []

    def start(self) -> None:
        for _ in range(self._workers):
            thread = Thread(target=pure.nothing)
            thread.start()
            self._threads.append(thread)

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        return np.empty(0, dtype=np.int64)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads = []

    def abandon(self) -> None:
        self.join()


def in_a_thread(function: Callable[..., object], *arguments: object) -> None:
    """Have a new thread call the function, and wait for its end."""
    thread = Thread(target=function, args=arguments)
    thread.start()
    thread.join()
