"""Teams over the pools of :mod:`concurrent.futures`, made for one call or kept for the next."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import resource_tracker
from typing import Any

import numpy as np

from impls.building_blocks.concurrency.foreign import pure
from impls.building_blocks.concurrency.foreign.threads import do
from impls.building_blocks.concurrency.pieces import Piece, in_order, shares_of
from impls.building_blocks.concurrency.processes import starting
from impls.building_blocks.concurrency.team import WorkerDied
from suites.concurrency.job import Job

_FIRST_TASK_S = 0.001
"""As long as a first task takes, the pool sees no idle worker, and so starts as many as it may have."""
_KEPT: dict[int, Executor] = {}


class PoolTeam:
    """An executor with as many workers as the job has; a share of the pieces is one task.

    :param make: the executor for a number of workers.
    """

    def __init__(self, make: Callable[[int], Executor], job: Job) -> None:
        self._make = make
        self._workers = job.workers
        self._executor: Executor | None = None

    def start(self) -> None:
        """Have all workers started, which a pool does with its first tasks."""
        self._executor = warmed(self._make(self._workers), self._workers)

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        assert self._executor is not None
        return shared_out(self._executor, pieces, self._workers)

    def join(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
        self._executor = None

    def abandon(self) -> None:
        """What a worker has begun it finishes: an executor cannot end it."""
        self.join()


class KeptPool:
    """An executor of processes that the next call finds there, with its workers."""

    def __init__(self, job: Job) -> None:
        self._workers = job.workers

    def start(self) -> None:
        kept_processes(self._workers)

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        shares = shares_of(pieces, self._workers)
        return in_order(answers_of_kept(self._workers, do, [(share,) for share in shares]), len(pieces))

    def join(self) -> None:
        """The workers stay."""

    def abandon(self) -> None:
        """The workers stay."""


def make_threads(workers: int) -> Executor:
    return ThreadPoolExecutor(workers)


def make_processes(workers: int) -> Executor:
    """Forked, whatever Python's own choice is: that changed with 3.14."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))


def kept_processes(workers: int) -> Executor:
    """The executor with so many forked workers; made, and its workers started, when it is first asked for."""
    if workers not in _KEPT:
        resource_tracker.ensure_running()  # else each worker that opens shared memory starts a tracker of its own
        _KEPT[workers] = warmed(make_processes(workers), workers)
    return _KEPT[workers]


def answers_of_kept(
    workers: int, function: Callable[..., list[int]], arguments: Sequence[tuple[Any, ...]]
) -> list[list[int]]:
    """What the function returns for each of the arguments, by the kept executor.

    :raises WorkerDied: a process of it did; the next call gets a new executor.
    """
    try:
        return _answers(kept_processes(workers), function, arguments)
    except WorkerDied:
        _KEPT.pop(workers).shutdown()
        raise


def warmed(executor: Executor, workers: int) -> Executor:
    """The executor, with all of its workers started."""
    with starting("fork"):
        for first in [executor.submit(pure.wait, number, _FIRST_TASK_S) for number in range(workers)]:
            first.result()
    return executor


def shared_out(executor: Any, pieces: Sequence[Piece], workers: int) -> np.ndarray:
    """The pieces' answers, int64 (pieces,), with one task for each worker.

    :raises WorkerDied: a process of the pool did.
    """
    shares = shares_of(pieces, workers)
    return in_order(_answers(executor, do, [(share,) for share in shares]), len(pieces))


def _answers(
    executor: Any, function: Callable[..., list[int]], arguments: Sequence[tuple[Any, ...]]
) -> list[list[int]]:
    tasks = [executor.submit(function, *each) for each in arguments]
    try:
        return [task.result() for task in tasks]
    except BrokenExecutor as error:
        raise WorkerDied(str(error)) from error
