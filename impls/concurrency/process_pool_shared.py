"""A kept executor of forked processes that read the array in shared memory; only places are pickled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.shared_sum import sum_in_shared_memory
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("sum",)})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from sum_in_shared_memory(job, data)
