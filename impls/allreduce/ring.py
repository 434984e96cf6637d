"""Ring: every rank sends to the next, first partial sums chunk by chunk, then the sums (Patarasuk and Yuan 2009)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Step, shift, split
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """After the first half rank r owns the sum of chunk r + 1."""
    chunks = split((0, length), ranks)
    after, before = (rank + 1) % ranks, (rank - 1) % ranks
    for step in range(ranks - 1):
        yield shift(after, chunks[(rank - step) % ranks], before, chunks[(rank - step - 1) % ranks], add=True)
    for step in range(ranks - 1):
        yield shift(after, chunks[(rank + 1 - step) % ranks], before, chunks[(rank - step) % ranks], add=False)


@implements(SUITE, kind="linear", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
