"""One piece after another in the calling thread: what every speed-up is measured against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract import implements
from impls.building_blocks.concurrency.foreign.threads import do
from impls.building_blocks.concurrency.pieces import pieces_of
from suites.concurrency.ballast import Ballast
from suites.concurrency.job import Job
from suites.concurrency.suite import SUITE


@implements(
    SUITE,
    dtypes=("float64",),
    limits={"task": ("sum", "sha256", "filter", "python", "dict", "attributes", "calls", "wait")},
)
def run(data: np.ndarray, seeds: np.ndarray, job: Job, ballast: Ballast) -> Iterator[np.ndarray | None]:
    pieces = pieces_of(job, data, seeds)
    yield None
    yield np.array(do(pieces), dtype=np.int64)
    yield None
