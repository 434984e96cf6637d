"""A forked process for each worker: it begins with a copy of the page tables and copies what it writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.pieces import pieces_of
from impls.building_blocks.concurrency.ping_pong import with_a_process
from impls.building_blocks.concurrency.processes import ProcessTeam, in_a_process
from impls.building_blocks.concurrency.team import phases
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    limits={"task": ("empty", "sha256", "filter", "python", "wait", "ping_pong")},
    counters=in_a_process("fork"),
)
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    if job.task == "ping_pong":
        yield from with_a_process(job, int(seeds[0]))
        return
    yield from phases(ProcessTeam("fork", job), pieces_of(job, data, seeds))
