"""A fresh interpreter for each worker, which imports anew what it needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.pieces import pieces_of
from impls.building_blocks.concurrency.processes import ProcessTeam, in_a_process
from impls.building_blocks.concurrency.team import phases
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    limits={"task": ("empty", "sha256", "python", "wait")},
    counters=in_a_process("spawn"),
)
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from phases(ProcessTeam("spawn", job), pieces_of(job, data, seeds))
