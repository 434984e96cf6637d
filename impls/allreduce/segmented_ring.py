"""Ring whose chunks travel in segments of 64 KiB: one is added while the next is under way (as gloo's own ring)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Step, segments, shift, split
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """Chunks differ by one element at most, yet all are cut into as many segments."""
    chunks = split((0, length), ranks)
    parts = max(len(segments(chunk)) for chunk in chunks)
    cut = [split(chunk, parts) for chunk in chunks]
    after, before = (rank + 1) % ranks, (rank - 1) % ranks
    for step in range(ranks - 1):
        for outgoing, incoming in zip(cut[(rank - step) % ranks], cut[(rank - step - 1) % ranks], strict=True):
            yield shift(after, outgoing, before, incoming, add=True)
    for step in range(ranks - 1):
        for outgoing, incoming in zip(cut[(rank + 1 - step) % ranks], cut[(rank - step) % ranks], strict=True):
            yield shift(after, outgoing, before, incoming, add=False)


@implements(SUITE, kind="linear", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
