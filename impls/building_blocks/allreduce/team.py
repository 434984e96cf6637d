"""P forked ranks that all-reduce over one of the transports: what every implementation's phases are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch

from impls.building_blocks.allreduce.hosts import Hosts
from impls.building_blocks.allreduce.member import Endpoint, Member
from impls.building_blocks.allreduce.messages import Loopback
from impls.building_blocks.allreduce.shared import SharedMemory, ThrottledMemory
from impls.building_blocks.allreduce.simulator import Simulation
from impls.building_blocks.allreduce.steps import Schedule, plan
from impls.building_blocks.ranks.memory import shared_array
from impls.building_blocks.ranks.team import Obey, RankTeam
from suites.allreduce.settings import LINK_DELAY_S, Link, Settings, Traffic

FILL, REDUCE = 0, 1


class Network(Protocol):
    """What joins the ranks; made before they are forked, closed after they have ended."""

    def join(self, rank: int) -> Endpoint:
        """Called by each rank in its own process."""

    def close(self) -> None: ...


class Reducer(Protocol):
    """One rank's part of the all-reduce of its buffer of some number."""

    def all_reduce(self, repeat: int) -> None: ...


MakeReducer = Callable[[Endpoint, np.ndarray], Reducer]
"""A rank's endpoint and its buffers (repeats, length) to what reduces them; called in the rank's process."""

NETWORKS: dict[str, Callable[[np.ndarray], Network]] = {
    "gloo": Loopback,
    "shared": SharedMemory,
    "throttled": ThrottledMemory,
    "hosts": Hosts,
    "distant_hosts": lambda buffers: Hosts(buffers, LINK_DELAY_S),
}


class AllReduceTeam:
    """Ranks with ``repeats`` copies of their values each, which they reduce one after the other.

    :ivar buffers: (ranks, repeats, length), the sums after :meth:`reduce`.
    """

    def __init__(self, make_reducer: MakeReducer, addends: np.ndarray, settings: Settings) -> None:
        ranks, length = addends.shape
        self._addends, self._settings, self._make_reducer = addends, settings, make_reducer
        self.buffers = shared_array((ranks, settings.repeats, length), addends.dtype)
        self._counts = shared_array((4, ranks), np.int64)
        self._network = NETWORKS[settings.transport](self.buffers)
        self._team = RankTeam(ranks, self._enter)

    def start(self) -> None:
        """Fork the ranks, connect them and give them their values."""
        self._team.start()

    def fill(self) -> None:
        """Give every rank its values anew."""
        self._team.run(FILL, 0)

    def reduce(self) -> None:
        """All-reduce every buffer; ends when the slowest rank has ended."""
        self._team.run(REDUCE, self._settings.repeats)

    def traffic(self) -> Traffic:
        """What the ranks have done so far."""
        return Traffic(*self._counts.copy())

    def stop(self) -> None:
        self._team.stop()
        self._network.close()

    def _enter(self, rank: int) -> Obey:
        torch.set_num_threads(1)
        own = self.buffers[rank]
        reducer = self._make_reducer(self._network.join(rank), own)

        def obey(command: int, repeats: int) -> None:
            if command == FILL:
                own[:] = self._addends[rank]
            for repeat in range(repeats):
                reducer.all_reduce(repeat)
            if isinstance(reducer, Member):
                counted = reducer.messages, reducer.sent_bytes, reducer.received_bytes, reducer.additions
                self._counts[:, rank] = counted

        obey(FILL, 0)
        return obey


def in_processes(make_reducer: MakeReducer, addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    """The phases of one call; the ranks end with the generator."""
    team = AllReduceTeam(make_reducer, addends, settings)
    try:
        team.start()
        yield
        team.reduce()
        team.fill()
        yield
        team.reduce()
        yield team.buffers
    finally:
        team.stop()


def by_schedule(schedule: Schedule) -> MakeReducer:
    """Ranks that carry out ``schedule``, whose steps are made when they start."""

    def make(endpoint: Endpoint, buffers: np.ndarray) -> Member:
        return Member(plan(schedule, endpoint.rank, endpoint.ranks, buffers.shape[1]), endpoint, buffers)

    return make


def counted(schedule: Schedule) -> Callable[[np.ndarray, Settings | Link], Traffic]:
    """A function that counts what the ranks do in one all-reduce: real ones, or simulated ones where it gets a link."""

    def count(addends: np.ndarray, where: Settings | Link) -> Traffic:
        """``addends`` (ranks, length) are only looked at for their shape where the ranks are simulated."""
        ranks, length = addends.shape
        if isinstance(where, Link):
            return Simulation(schedule, ranks, length, where).run()
        team = AllReduceTeam(by_schedule(schedule), addends, where)
        try:
            team.start()
            team.reduce()
            return team.traffic()
        finally:
            team.stop()

    return count
