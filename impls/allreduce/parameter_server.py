"""Parameter server: rank 0 adds the values of all others in the order of the ranks, and sends the sum back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.allreduce.steps import Receive, Send, Step
from impls.building_blocks.allreduce.team import by_schedule, counted, in_processes
from suites.allreduce.suite import SUITE, Settings


def schedule(rank: int, ranks: int, length: int) -> Iterator[Step]:
    """The order of arrival plays no part in the sum."""
    if rank:
        yield Step(sends=(Send(0, 0, length),))
        yield Step(receives=(Receive(0, 0, length, add=False),))
        return
    for other in range(1, ranks):
        yield Step(receives=(Receive(other, 0, length, add=True),))
    yield Step(sends=tuple(Send(other, 0, length) for other in range(1, ranks)))


@implements(SUITE, kind="linear", counters=counted(schedule))
def all_reduce(addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    yield from in_processes(by_schedule(schedule), addends, settings)
