"""Waiting for many at once on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np

from impls.building_blocks.concurrency.pieces import in_order
from suites.concurrency.job import Job


def wait_together(job: Job) -> Iterator[np.ndarray | None]:
    """The phases of one call: a loop, as many coroutines as workers that wait for their shares, the loop's end."""
    with asyncio.Runner() as runner:
        runner.get_loop()
        yield None
        answers = runner.run(_all(job))
        yield in_order(answers, job.pieces)
    yield None


async def _all(job: Job) -> list[list[int]]:
    return list(await asyncio.gather(*(_share(job, worker) for worker in range(job.workers))))


async def _share(job: Job, worker: int) -> list[int]:
    answers = []
    for piece in range(worker, job.pieces, job.workers):
        first, last = job.bounds(piece)
        await asyncio.sleep((last - first) * 1e-6)
        answers.append(piece + 1)
    return answers
