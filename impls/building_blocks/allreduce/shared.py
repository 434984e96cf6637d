"""Ranks that see each other's buffers: a message is a signal, and the receiver reads where the sender wrote."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from impls.building_blocks.allreduce.steps import Receive, Send
from impls.building_blocks.ranks.memory import shared_array
from impls.building_blocks.ranks.signals import Counter, Semaphore
from suites.allreduce.settings import LINK_BYTES_PER_S

BURST_BYTES = 16_384
"""What a token bucket holds: as much may leave at once after a pause."""
MOST_UNREAD = 16_384


class SharedMemory:
    """Signals between every two ranks, made before they are forked."""

    def __init__(self, ranks: int) -> None:
        self.written = [[Semaphore() for _ in range(ranks)] for _ in range(ranks)]
        self.read = [Counter() for _ in range(ranks)]

    def join(self, rank: int) -> SharedEndpoint:
        return SharedEndpoint(self, rank)

    def close(self) -> None:
        for semaphore in (semaphore for row in self.written for semaphore in row):
            semaphore.close()
        for counter in self.read:
            counter.close()


class SharedEndpoint:
    """No element is copied on the way: the receiver adds from the sender's memory into its own."""

    def __init__(self, memory: SharedMemory, rank: int) -> None:
        self._memory, self.rank = memory, rank

    def begin(self, buffers: np.ndarray, spare: np.ndarray) -> None:
        self._peers = buffers

    def send(self, message: Send) -> None:
        self._memory.written[self.rank][message.peer].post()

    def expect(self, message: Receive, second: bool) -> Receive:
        return message

    def fetch(self, ticket: Receive) -> np.ndarray:
        self._memory.written[ticket.peer][self.rank].wait()
        return self._peers[ticket.peer, ticket.start : ticket.stop]

    def release(self, ticket: Receive) -> None:
        self._memory.read[ticket.peer].post()

    def wait_sent(self, tickets: Sequence[None]) -> None:
        self._memory.read[self.rank].wait(len(tickets))


class ThrottledMemory(SharedMemory):
    """The same with a link of limited rate before every rank's messages."""

    def __init__(self, ranks: int) -> None:
        super().__init__(ranks)
        self.arrivals_ns = shared_array((ranks, ranks, MOST_UNREAD), np.int64)

    def join(self, rank: int) -> ThrottledEndpoint:
        return ThrottledEndpoint(self, rank)


class ThrottledEndpoint(SharedEndpoint):
    """A message may be read when the sender's link has had the time to carry it.

    The token bucket is the virtual schedule of ITU-T I.371: a message is due when the link has carried all before it,
    and arrives as much earlier as it takes to fill the bucket.
    """

    def __init__(self, memory: ThrottledMemory, rank: int) -> None:
        super().__init__(memory, rank)
        self._arrivals_ns = memory.arrivals_ns
        self._idle_from_ns = 0.0
        self._sent = [0] * len(memory.read)
        self._fetched = [0] * len(memory.read)

    def send(self, message: Send) -> None:
        size = (message.stop - message.start) * self._peers.itemsize
        now = time.monotonic_ns()
        self._idle_from_ns = max(self._idle_from_ns, now) + size * 1e9 / LINK_BYTES_PER_S
        arrival = max(now, self._idle_from_ns - BURST_BYTES * 1e9 / LINK_BYTES_PER_S)
        self._arrivals_ns[self.rank, message.peer, self._sent[message.peer] % MOST_UNREAD] = int(arrival)
        self._sent[message.peer] += 1
        super().send(message)

    def fetch(self, ticket: Receive) -> np.ndarray:
        values = super().fetch(ticket)
        due = int(self._arrivals_ns[ticket.peer, self.rank, self._fetched[ticket.peer] % MOST_UNREAD])
        self._fetched[ticket.peer] += 1
        if (left := due - time.monotonic_ns()) > 0:
            time.sleep(left * 1e-9)
        return values
