"""The tasks in Numba, without the interpreter lock, in threads that are kept for the next call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from impls.building_blocks.concurrency.foreign.pure import INCREMENT, MASK, MULTIPLIER
from suites.concurrency.job import Job


def with_threads(job: Job, data: np.ndarray, seeds: np.ndarray) -> Iterator[np.ndarray | None]:
    """The phases of one call. The caller is one of the workers, so that it does not have to be woken for an answer."""
    do = _share_of(job, data, seeds)
    others = _kept_threads(job.workers - 1) if job.workers > 1 else None
    yield None
    checksums = np.empty(job.pieces, dtype=np.int64)
    tasks = [others.submit(do, checksums, worker) for worker in range(1, job.workers)] if others else []
    do(checksums, 0)
    for task in tasks:
        task.result()
    yield checksums
    yield None


@cache
def _kept_threads(count: int) -> ThreadPoolExecutor:
    executor = ThreadPoolExecutor(count)
    list(executor.map(abs, range(count)))
    return executor


def _share_of(job: Job, data: np.ndarray, seeds: np.ndarray) -> Callable[[np.ndarray, int], None]:
    """What does a worker's share: one call of machine code, which writes the answers to its pieces."""
    bounds = np.array([job.bounds(piece) for piece in range(job.pieces)], dtype=np.int64).reshape(job.pieces, 2)
    kernel: Callable[..., None]
    arguments: Sequence[Any]
    if job.task == "python":
        kernel, arguments = _generate, (seeds,)
    elif job.task == "sum":
        kernel, arguments = _total, (data,)
    else:
        kernel, arguments = _filter, (data,)

    def do(checksums: np.ndarray, worker: int) -> None:
        kernel(*arguments, bounds, checksums, worker, job.workers)

    return do


@njit(nogil=True, cache=True)
def _generate(seeds: np.ndarray, bounds: np.ndarray, checksums: np.ndarray, worker: int, workers: int) -> None:
    for piece in range(worker, len(bounds), workers):
        state = seeds[piece]
        for _ in range(bounds[piece, 1] - bounds[piece, 0]):
            state = (state * MULTIPLIER + INCREMENT) & MASK
        checksums[piece] = state


@njit(nogil=True, cache=True, fastmath=True)
def _total(numbers: np.ndarray, bounds: np.ndarray, checksums: np.ndarray, worker: int, workers: int) -> None:
    """Whole numbers: a sum in any order is the same, so that it may be vectorised."""
    for piece in range(worker, len(bounds), workers):
        total = 0.0
        for place in range(bounds[piece, 0], bounds[piece, 1]):
            total += numbers[place]
        checksums[piece] = np.int64(total)


@njit(nogil=True, cache=True)
def _filter(image: np.ndarray, bounds: np.ndarray, checksums: np.ndarray, worker: int, workers: int) -> None:
    rows, columns = image.shape
    down = np.zeros(columns + 2, dtype=np.int64)  # with a border of 0 at either end
    for piece in range(worker, len(bounds), workers):
        total = np.int64(0)
        for row in range(bounds[piece, 0], bounds[piece, 1]):
            for column in range(columns):
                value = 2 * np.int64(image[row, column])
                if row > 0:
                    value += image[row - 1, column]
                if row + 1 < rows:
                    value += image[row + 1, column]
                down[column + 1] = value
            for column in range(1, columns + 1):
                smooth = down[column - 1] + 2 * down[column] + down[column + 1]
                total += smooth * smooth
        checksums[piece] = total
