"""Forked ranks that all-reduce over one of the transports: what every implementation's phases are made of.

As under MPI, ranks are started once: the first call of a process forks and connects them, further ones find them. They
end with the process, with their first failure, or when other ranks are asked for.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from functools import cache
from multiprocessing.util import Finalize
from typing import Any, Protocol

import numpy as np
import torch

from impls.building_blocks.allreduce.hosts import Hosts
from impls.building_blocks.allreduce.member import Endpoint, Member
from impls.building_blocks.allreduce.messages import Loopback
from impls.building_blocks.allreduce.shared import SharedMemory, ThrottledMemory
from impls.building_blocks.allreduce.simulator import Simulation
from impls.building_blocks.allreduce.steps import Schedule, plan
from impls.building_blocks.ranks.memory import MemoryMail, shared_array
from impls.building_blocks.ranks.team import Obey, RankTeam
from suites.allreduce.settings import LINK_DELAY_S, Link, Settings, Traffic

PREPARE, FILL, REDUCE, FORGET = range(4)


class Network(Protocol):
    """What joins the ranks; made before they are forked, closed after they have ended."""

    def join(self, rank: int) -> Endpoint:
        """Called by each rank in its own process."""

    def close(self) -> None: ...


class Reducer(Protocol):
    """One rank's part of the all-reduce of its buffer of some number."""

    def all_reduce(self, repeat: int) -> None: ...


MakeReducer = Callable[[Endpoint, np.ndarray], Reducer]
"""A rank's endpoint and the buffers (ranks, repeats, length) of all to what reduces its own; called in its process."""

NETWORKS: dict[str, Callable[[int], Network]] = {
    "gloo": Loopback,
    "shared": SharedMemory,
    "throttled": ThrottledMemory,
    "hosts": Hosts,
    "distant_hosts": lambda ranks: Hosts(ranks, LINK_DELAY_S),
}


class AllReduceTeam:
    """Ranks that all-reduce in memory of the call; fewer than there are may take part in one.

    :ivar buffers: (ranks, repeats, length), the sums after :meth:`reduce`.
    """

    def __init__(self, make_reducer: MakeReducer, ranks: int, transport: str) -> None:
        self.ranks = ranks
        self._make_reducer = make_reducer
        self._task = shared_array((3,), np.int64)
        self._counts = shared_array((4, ranks), np.int64)
        self._network = NETWORKS[transport](ranks)
        self._mail = [MemoryMail() for _ in range(ranks)]
        self._team = RankTeam(ranks, self._enter)
        try:
            self._team.start()
        except BaseException:
            self.stop()
            raise

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids by rank."""
        return self._team.processes

    def prepare(self, addends: np.ndarray, repeats: int) -> None:
        """Give the first ranks their values (ranks, length), and ``repeats`` buffers with them."""
        self._task[:] = *addends.shape, repeats
        descriptor = os.memfd_create("all_reduce")
        try:
            os.ftruncate(descriptor, self._size)
            for mail in self._mail[: len(addends)]:
                mail.send(descriptor)
            given, self.buffers = self._arrays(mmap.mmap(descriptor, self._size))
        finally:
            os.close(descriptor)
        given[:] = addends
        self._team.run(PREPARE, 0)
        self.fill()

    def fill(self) -> None:
        """Give every rank its values anew."""
        self._team.run(FILL, 0)

    def reduce(self) -> None:
        """All-reduce every buffer; ends when the slowest rank has ended."""
        self._team.run(REDUCE, 0)

    def forget(self) -> None:
        """Let the ranks drop the memory of the call."""
        self._team.run(FORGET, 0)

    def traffic(self) -> Traffic:
        """What the ranks have done in this call."""
        return Traffic(*self._counts[:, : self._task[0]].copy())

    def stop(self) -> None:
        self._team.stop()
        self._network.close()
        for mail in self._mail:
            mail.close()

    @property
    def _size(self) -> int:
        ranks, length, repeats = (int(number) for number in self._task)
        return max(1, ranks * length * (1 + repeats) * np.dtype(np.float32).itemsize)

    def _arrays(self, memory: mmap.mmap) -> tuple[np.ndarray, np.ndarray]:
        """The values given (ranks, length) and the buffers (ranks, repeats, length) in the memory of a call."""
        ranks, length, repeats = (int(number) for number in self._task)
        rows = np.frombuffer(memory, np.float32, ranks * length * (1 + repeats))
        return rows[: ranks * length].reshape(ranks, length), rows[ranks * length :].reshape(ranks, repeats, length)

    def _enter(self, rank: int) -> Obey:
        torch.set_num_threads(1)
        endpoint = self._network.join(rank)
        call: list[Any] = []

        def obey(command: int, _: int) -> None:
            if rank >= self._task[0]:
                return
            if command == PREPARE:
                given, buffers = self._arrays(self._mail[rank].receive(self._size))
                call[:] = given[rank], buffers[rank], self._make_reducer(endpoint, buffers)
            elif command == FORGET:
                call.clear()
            elif command == FILL:
                call[1][:] = call[0]
            else:
                own, reducer = call[1:]
                for repeat in range(len(own)):
                    reducer.all_reduce(repeat)
                if isinstance(reducer, Member):
                    counted = reducer.messages, reducer.sent_bytes, reducer.received_bytes, reducer.additions
                    self._counts[:, rank] = counted

        return obey


class Standing:
    """The one team that this process has started, if any."""

    def __init__(self) -> None:
        self._team: AllReduceTeam | None = None
        self._purpose: tuple[MakeReducer, str] | None = None

    def of(self, make_reducer: MakeReducer, ranks: int, transport: str, *, exact: bool) -> AllReduceTeam:
        """A team for this; ``exact`` is where all of its ranks must take part."""
        purpose = make_reducer, transport
        team = self._team
        if (
            team is not None
            and self._purpose == purpose
            and (team.ranks == ranks or (team.ranks > ranks and not exact))
        ):
            return team
        self.stop()
        self._team, self._purpose = AllReduceTeam(make_reducer, ranks, transport), purpose
        # Run when a worker ends as well, which calls nothing that is registered with atexit.
        Finalize(None, self.stop, exitpriority=1)
        return self._team

    def stop(self) -> None:
        if self._team is not None:
            team, self._team = self._team, None
            team.stop()


STANDING = Standing()


def in_processes(make_reducer: MakeReducer, addends: np.ndarray, settings: Settings) -> Iterator[Any]:
    """The phases of one call."""
    team = STANDING.of(make_reducer, settings.ranks, settings.transport, exact=True)
    try:
        team.prepare(addends, settings.repeats)
        yield
        team.reduce()
        team.fill()
        yield
        team.reduce()
        yield team.buffers
        team.forget()
    except GeneratorExit:
        team.forget()
        raise
    except BaseException:
        STANDING.stop()
        raise


@cache
def by_schedule(schedule: Schedule) -> MakeReducer:
    """Ranks that carry out ``schedule``, whose steps are made for every call."""

    def make(endpoint: Endpoint, buffers: np.ndarray) -> Member:
        ranks, _, length = buffers.shape
        return Member(plan(schedule, endpoint.rank, ranks, length), endpoint, buffers)

    return make


def counted(schedule: Schedule) -> Callable[[np.ndarray, Settings | Link], Traffic]:
    """A function that counts what the ranks do in one all-reduce: real ones, or simulated ones where it gets a link."""

    def count(addends: np.ndarray, where: Settings | Link) -> Traffic:
        """``addends`` (ranks, length) are only looked at for their shape where the ranks are simulated."""
        if isinstance(where, Link):
            ranks, length = addends.shape
            return Simulation(schedule, ranks, length, where).run()
        team = STANDING.of(by_schedule(schedule), where.ranks, where.transport, exact=False)
        try:
            team.prepare(addends, 1)
            team.reduce()
            team.forget()
        except BaseException:
            STANDING.stop()
            raise
        return team.traffic()

    return count
