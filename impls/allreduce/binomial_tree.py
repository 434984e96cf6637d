"""Binomial tree: reduced to rank 0 in lg P steps, and broadcast the same way back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Receive, Send, Step
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """The parent of a rank is the rank without its lowest bit."""
    lowest = rank & -rank or 1 << (ranks - 1).bit_length()
    distances = [1 << k for k in range(lowest.bit_length() - 1)]
    children = [rank + distance for distance in distances if rank + distance < ranks]
    for child in children:
        yield Step(receives=(Receive(child, 0, length, add=True),))
    if rank:
        yield Step(sends=(Send(rank - lowest, 0, length),))
        yield Step(receives=(Receive(rank - lowest, 0, length, add=False),))
    for child in reversed(children):
        yield Step(sends=(Send(child, 0, length),))


@implements(SUITE, kind="logarithmic", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
