"""The reusable executor of loky, whose workers the next call finds there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.loky import over_reusable_executor
from impls.building_blocks.concurrency.pieces import pieces_of
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, library="loky", dtypes=("float64",), limits={"task": ("sha256", "python")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from over_reusable_executor(pieces_of(job, data, seeds), job.workers)
