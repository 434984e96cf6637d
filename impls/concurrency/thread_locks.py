"""Ping-pong between threads that hand over by releasing each other's lock, without a pipe."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.locks import play_with_locks
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(SUITE, dtypes=("float64",), limits={"task": ("ping_pong",)})
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    yield from play_with_locks(job, int(seeds[0]))
