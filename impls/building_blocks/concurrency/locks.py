"""Handing over between two threads by locks: each waits for its own, which the other releases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import Lock, Thread

import numpy as np

from impls.building_blocks.concurrency.ping_pong import cpus_of, kept_on
from suites.concurrency.job import Job


class _Table:
    """A cell that both threads see, and whose turn it is."""

    def __init__(self) -> None:
        self.value = 0
        self.caller, self.worker = Lock(), Lock()
        self.caller.acquire()
        self.worker.acquire()
        self.over = False

    def rally(self, seed: int, trips: int) -> int:
        """Play so many round trips; the sum of the values that came back."""
        total = 0
        for trip in range(trips):
            self.value = (seed + trip) & 255
            self.worker.release()
            self.caller.acquire()
            total -= self.value
        return total

    def send_back(self) -> None:
        """Answer every value with its negative, so that one which nobody answered would show."""
        while True:
            self.worker.acquire()
            if self.over:
                return
            self.value = -self.value
            self.caller.release()


def play_with_locks(job: Job, seed: int) -> Iterator[np.ndarray | None]:
    """The phases of one call: start the worker and play one trip, then ``job.size`` of them, then let it end."""
    caller_cpus, worker_cpus = cpus_of(job.cpus)
    table = _Table()

    def serve() -> None:
        if worker_cpus:
            os.sched_setaffinity(0, worker_cpus)
        table.send_back()

    with kept_on(caller_cpus):
        thread = Thread(target=serve)
        thread.start()
        try:
            table.rally(0, 1)
            yield None
            yield np.array([table.rally(seed, job.size)], dtype=np.int64)
        finally:
            table.over = True
            table.worker.release()
            thread.join()
        yield None
