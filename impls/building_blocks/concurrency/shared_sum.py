"""A sum by processes that are kept, over an array that is copied into shared memory once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from impls.building_blocks.concurrency.pieces import in_order
from impls.building_blocks.concurrency.pools import answers_of_kept, kept_processes
from impls.building_blocks.concurrency.sharing import SharedArray, sums_of_parts
from suites.concurrency.job import Job


def sum_in_shared_memory(job: Job, data: np.ndarray) -> Iterator[np.ndarray | None]:
    """The phases of one call: make the block, copy into it and have its parts summed, remove it."""
    kept_processes(job.workers)
    shared = SharedArray(len(data))
    try:
        yield None
        shared.array[:] = data
        bounds = [job.bounds(piece) for piece in range(job.pieces)]
        parts = [(shared.name, bounds[worker :: job.workers]) for worker in range(job.workers)]
        yield in_order(answers_of_kept(job.workers, sums_of_parts, parts), job.pieces)
    finally:
        shared.close()
    yield None
