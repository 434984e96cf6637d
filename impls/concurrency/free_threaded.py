"""The same threads in free-threaded CPython 3.14, without an interpreter lock; one worker is the caller."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.interpreters import How, in_interpreter
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("python", "dict", "attributes", "calls")})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    how: How = "serial" if job.workers == 1 else "threads"
    yield from in_interpreter("3.14", how, job, seeds, free_threaded=True)
