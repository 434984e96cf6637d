"""joblib with its processes (loky), which it keeps; large arrays they are given as files in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.joblib import over
from impls.building_blocks.concurrency.pieces import pieces_of
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, library="joblib", dtypes=("float64",), limits={"task": ("sum", "sha256", "python")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from over("loky", pieces_of(job, data, seeds), job.workers)
