"""An executor of threads, made for one call; a share of the pieces is one task."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.pieces import pieces_of
from impls.building_blocks.concurrency.pools import PoolTeam, make_threads
from impls.building_blocks.concurrency.team import phases
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("sum", "sha256", "filter", "python", "wait")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from phases(PoolTeam(make_threads, job), pieces_of(job, data, seeds))
