"""Machine code by Numba that lets go of the interpreter lock, in kept threads; nothing is copied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.compiled import with_threads
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("sum", "filter", "python")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from with_threads(job, data, seeds)
