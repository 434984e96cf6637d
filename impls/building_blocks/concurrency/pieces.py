"""A job as pieces of work that can be sent to any worker: a function that can be imported, and its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.concurrency.foreign import pure
from suites.concurrency.job import Job

Piece = tuple[Callable[..., int], tuple[Any, ...]]


def pieces_of(job: Job, data: np.ndarray, seeds: np.ndarray) -> list[Piece]:
    """All pieces of the job in order.

    :raises ValueError: the task is none that is done piece by piece.
    """
    bounds = [job.bounds(piece) for piece in range(job.pieces)]
    if job.task == "empty":
        return []
    if job.task == "wait":
        return [(pure.wait, (piece + 1, (last - first) * 1e-6)) for piece, (first, last) in enumerate(bounds)]
    if job.task in pure.OF_STEPS:
        function = pure.OF_STEPS[job.task]
        return [(function, (int(seed), last - first)) for seed, (first, last) in zip(seeds, bounds, strict=True)]
    if job.task == "sum":
        return [(total, (data[first:last],)) for first, last in bounds]
    if job.task == "sha256":
        return [(digest_of, (data[first:last],)) for first, last in bounds]
    if job.task == "filter":
        return [(filter_rows, with_margin(data, first, last)) for first, last in bounds]
    raise ValueError(f"task {job.task!r} is not done piece by piece")


def shares_of(pieces: Sequence[Piece], workers: int) -> list[list[Piece]]:
    """What each worker has to do, which may be nothing."""
    return [list(pieces[worker::workers]) for worker in range(workers)]


def in_order(answers: Sequence[Sequence[int]], count: int) -> np.ndarray:
    """The answers of every worker's share, int64 (count,) in the order of the pieces."""
    checksums = np.empty(count, dtype=np.int64)
    for worker, share in enumerate(answers):
        checksums[worker :: len(answers)] = share
    return checksums


def total(numbers: np.ndarray) -> int:
    """The sum of whole numbers held as floating-point ones; exact, whatever the order."""
    return int(numbers.sum())


def digest_of(content: np.ndarray) -> int:
    return pure.digest(content.data)


def with_margin(image: np.ndarray, first: int, last: int) -> tuple[np.ndarray, int, int]:
    """The rows that filtering those from ``first`` to ``last`` needs, and which of them they are."""
    begin, end = max(first - 1, 0), min(last + 1, len(image))
    return image[begin:end], first - begin, last - begin


def filter_rows(image: np.ndarray, first: int, last: int) -> int:
    """The sum of the squares of the rows from ``first`` to ``last`` after the weights 1 2 1 down and across."""
    rows, columns = image.shape
    padded = np.zeros((rows + 2, columns + 2), dtype=np.int64)
    padded[1:-1, 1:-1] = image
    smooth = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    smooth = smooth[:, :-2] + 2 * smooth[:, 1:-1] + smooth[:, 2:]
    return int(np.sum(np.square(smooth[first:last])))
