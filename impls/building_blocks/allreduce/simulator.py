"""A discrete-event simulator of the same schedules: up to a thousand ranks, each with one full-duplex link.

A message takes the sender's way out and the receiver's way in, α and β per byte on both at the same time where both are
free; the switch between them keeps what a busy receiver cannot take yet, in the order of sending. A receiver adds for γ
per byte, one message after another, while the next is under way.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from impls.building_blocks.allreduce.steps import Receive, Schedule, Step
from suites.allreduce.settings import COUNTS, Link, Simulated

ITEMSIZE = 4
NOBODY, WOKEN = -1, -2


_Message = tuple[float, int, int, np.ndarray | None]
"""When it has arrived, its first element, the one after its last, and where they lie."""


@dataclass(slots=True)
class _Rank:
    """Where one rank is in its steps, its clock, and what it has done.

    :ivar left: what it has still to receive in its step.
    :ivar sent_s: when the last message that it has begun to send leaves its link free.
    """

    steps: Iterator[Step]
    left: deque[Receive] = field(default_factory=deque)
    clock_s: float = 0.0
    sent_s: float = 0.0
    waits_for: int = NOBODY
    in_exchange: bool = False
    messages: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    additions: int = 0


class Simulation:
    """One all-reduce of ``length`` elements of :data:`ITEMSIZE` bytes over ``ranks`` ranks.

    :param values: (ranks, length) to be reduced in place, where the sum is wanted beside the counts.
    :param delay_s: further delay of a message, called for each one; with it a test disturbs the order of events.
    """

    def __init__(
        self,
        schedule: Schedule,
        ranks: int,
        length: int,
        link: Link,
        values: np.ndarray | None = None,
        delay_s: Callable[[], float] | None = None,
    ) -> None:
        self._link, self._values, self._delay_s = link, values, delay_s
        self._ranks = [_Rank(iter(schedule(rank, ranks, length))) for rank in range(ranks)]
        self._way_in_free_s = [0.0] * ranks
        self._under_way: defaultdict[tuple[int, int], deque[_Message]] = defaultdict(deque)
        self._events = [(0.0, rank) for rank in range(ranks)]

    def run(self) -> Simulated:
        """:raises RuntimeError: ranks wait for each other for ever, or for other elements than are sent."""
        while self._events:
            _, rank = heapq.heappop(self._events)
            self._go_on(rank)
        waiting = [number for number, rank in enumerate(self._ranks) if rank.waits_for >= 0]
        if waiting:
            raise RuntimeError(f"rank {waiting[0]} waits for rank {self._ranks[waiting[0]].waits_for} for ever")
        left_over = [pair for pair, messages in self._under_way.items() if messages]
        if left_over:
            raise RuntimeError(f"rank {left_over[0][1]} never takes a message of rank {left_over[0][0]}")
        counts = {name: np.array([getattr(rank, name) for rank in self._ranks], np.int64) for name in COUNTS}
        return Simulated(**counts, duration_s=max(rank.clock_s for rank in self._ranks))

    def _go_on(self, number: int) -> None:
        """One step of a rank, or what is left of it, as far as messages have been sent."""
        rank = self._ranks[number]
        if rank.waits_for == NOBODY:
            step = next(rank.steps, None)
            if step is None:
                return
            self._send(number, rank, step)
        rank.waits_for = NOBODY
        left = rank.left
        while left:
            receive = left[0]
            if receive.start < receive.stop:
                messages = self._under_way[receive.peer, number]
                if not messages:
                    rank.waits_for = receive.peer
                    return
                self._take(number, rank, receive, messages.popleft())
            left.popleft()
        heapq.heappush(self._events, (rank.clock_s, number))

    def _send(self, number: int, rank: _Rank, step: Step) -> None:
        latency_s, s_per_byte, _ = self._link
        into = self._way_in_free_s
        for peer, start, stop in step.sends:
            if start == stop:
                continue
            size = (stop - start) * ITEMSIZE
            start_s, lasts_s = max(rank.clock_s, rank.sent_s), latency_s + size * s_per_byte
            end_s = max(start_s, into[peer]) + lasts_s
            if self._delay_s:
                end_s += self._delay_s()
            rank.sent_s, into[peer] = start_s + lasts_s, end_s
            rank.messages += 1
            rank.sent_bytes += size
            # As where memory is shared, the receiver reads when it takes the message, and not what was there before.
            payload = None if self._values is None else self._values[number, start:stop]
            if payload is not None and step.exchange:
                payload = payload.copy()
            self._under_way[number, peer].append((end_s, start, stop, payload))
            other = self._ranks[peer]
            if other.waits_for == number:
                other.waits_for = WOKEN
                heapq.heappush(self._events, (max(other.clock_s, end_s), peer))
        rank.left.extend(step.receives)
        rank.in_exchange = step.exchange

    def _take(self, number: int, rank: _Rank, receive: Receive, message: _Message) -> None:
        peer, start, stop, add = receive
        arrival_s, first, last, payload = message
        if (first, last) != (start, stop):
            raise RuntimeError(f"rank {number} expects {start} to {stop} of rank {peer}, which sends {first} to {last}")
        rank.clock_s = max(rank.clock_s, arrival_s, rank.sent_s if rank.in_exchange else 0.0)
        rank.received_bytes += (stop - start) * ITEMSIZE
        if add:
            rank.clock_s += (stop - start) * ITEMSIZE * self._link.reduction_s_per_byte
            rank.additions += stop - start
        if self._values is not None and payload is not None:
            own = self._values[number, start:stop]
            if not add:
                own[:] = payload
            elif rank.in_exchange and peer < number:
                own[:] = np.add(payload, own)
            else:
                own[:] = np.add(own, payload)
