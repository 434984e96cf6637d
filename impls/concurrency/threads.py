"""A thread for each worker, which is sent its share: threads have the lock and all memory in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.pieces import pieces_of
from impls.building_blocks.concurrency.ping_pong import with_a_thread
from impls.building_blocks.concurrency.team import phases
from impls.building_blocks.concurrency.threads import EmptyThreads, ThreadTeam, in_a_thread
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    limits={"task": ("empty", "sha256", "filter", "python", "wait", "ping_pong")},
    counters=in_a_thread,
)
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    if job.task == "ping_pong":
        yield from with_a_thread(job, int(seeds[0]))
        return
    team = EmptyThreads(job) if job.task == "empty" else ThreadTeam(job)
    yield from phases(team, pieces_of(job, data, seeds))
