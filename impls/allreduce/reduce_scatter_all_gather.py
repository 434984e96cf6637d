"""Two collectives one after the other: a ring's reduce-scatter, then an all-gather in which all send to all."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Step, shift, split
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def reduce_scatter(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """Rank r ends with the sum of chunk r + 1, whose addends come in the order of the ring from that rank on."""
    chunks = split((0, length), ranks)
    for distance in range(ranks - 1):
        leaving, arriving = chunks[(rank - distance) % ranks], chunks[(rank - distance - 1) % ranks]
        yield shift((rank + 1) % ranks, leaving, (rank - 1) % ranks, arriving, add=True)


def all_gather(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """Rank r gives chunk r + 1 to everybody."""
    chunks = split((0, length), ranks)
    for distance in range(1, ranks):
        source = (rank - distance) % ranks
        leaving, arriving = chunks[(rank + 1) % ranks], chunks[(source + 1) % ranks]
        yield shift((rank + distance) % ranks, leaving, source, arriving, add=False)


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    yield from reduce_scatter(rank, ranks, length)
    yield from all_gather(rank, ranks, length)


@implements(SUITE, kind="linear", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
