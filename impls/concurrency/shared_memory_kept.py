"""An array copied once into shared memory that has carried another before, so that its pages are there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.sharing import InSharedMemory
from impls.building_blocks.concurrency.transfer import transfer
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("transfer",)})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from transfer(InSharedMemory(data.nbytes, used=True), data)
