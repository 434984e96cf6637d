"""An executor of forked processes that the next call finds there; the pieces are pickled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.pieces import pieces_of
from impls.building_blocks.concurrency.pools import KeptPool
from impls.building_blocks.concurrency.team import phases
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("sum", "sha256", "python", "wait")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from phases(KeptPool(job), pieces_of(job, data, seeds))
