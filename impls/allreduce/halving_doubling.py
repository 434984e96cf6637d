"""Recursive halving, then doubling: reduce-scatter and all-gather in lg P steps each (Rabenseifner 2004)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Span, Step, folded, shift, split
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def core(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """For 2^k ranks; windows are halved by number of chunks until rank r has chunk r, then put together again."""
    chunks = split((0, length), ranks)

    def window(first: int, count: int) -> Span:
        return chunks[first][0], chunks[first + count - 1][1]

    distances = [ranks >> step for step in range(1, ranks.bit_length())]
    kept = {distance: window(rank // distance * distance, distance) for distance in distances}
    given = {distance: window((rank ^ distance) // distance * distance, distance) for distance in distances}
    for distance in distances:
        yield shift(rank ^ distance, given[distance], rank ^ distance, kept[distance], add=True)
    for distance in reversed(distances):
        yield shift(rank ^ distance, kept[distance], rank ^ distance, given[distance], add=False)


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    yield from folded(core, rank, ranks, length)


@implements(SUITE, kind="logarithmic", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
