"""Recursive doubling: in each of lg P steps two ranks exchange and add whole buffers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Receive, Send, Step, folded
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def core(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """For 2^k ranks; partners are 1, 2, 4, ... apart."""
    for step in range(ranks.bit_length() - 1):
        partner = rank ^ 1 << step
        yield Step((Send(partner, 0, length),), (Receive(partner, 0, length, add=True),), exchange=True)


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    yield from folded(core, rank, ranks, length)


@implements(SUITE, kind="logarithmic", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
