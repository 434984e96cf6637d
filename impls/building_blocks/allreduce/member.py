"""One rank carries out its steps over whatever moves the messages, and counts what it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from impls.building_blocks.allreduce.steps import Receive, Send, Step

Ticket = Any


class Endpoint(Protocol):
    """One rank's side of a transport; between two ranks messages keep their order.

    :ivar rank: this one's number.
    """

    rank: int

    def begin(self, buffers: np.ndarray, spare: np.ndarray) -> None:
        """Work on the buffers (ranks, length) of all ranks; two rows of ``spare`` are for what arrives."""

    def send(self, message: Send) -> Ticket: ...

    def expect(self, message: Receive, second: bool) -> Ticket:
        """Announce a message that will be fetched; ``second`` alternates from step to step."""

    def fetch(self, ticket: Ticket) -> np.ndarray:
        """Wait for the message; the elements are valid until they are released."""

    def release(self, ticket: Ticket) -> None: ...

    def wait_sent(self, tickets: Sequence[Ticket]) -> None:
        """Wait until the receivers have what was sent."""


class Member:
    """All-reduces in place by a list of steps, the messages of the next step expected while one is carried out.

    :param buffers: (ranks, repeats, length), of all ranks.
    :ivar messages: sent so far; beside it ``sent_bytes``, ``received_bytes`` and ``additions``.
    """

    def __init__(self, steps: Sequence[Step], endpoint: Endpoint, buffers: np.ndarray) -> None:
        self._steps, self._endpoint = steps, endpoint
        self._buffers = buffers
        self._spare = np.empty((3, buffers.shape[2]), buffers.dtype)
        self.messages = self.sent_bytes = self.received_bytes = self.additions = 0

    def all_reduce(self, repeat: int) -> None:
        """Sum the buffer of this number over all ranks, in place; everybody has what this rank sent when it returns."""
        endpoint, values = self._endpoint, self._buffers[self._endpoint.rank, repeat]
        endpoint.begin(self._buffers[:, repeat], self._spare)
        sent: list[Ticket] = []
        following = self._expect(0)
        for number, step in enumerate(self._steps):
            expected, following = following, []
            for send in step.sends:
                sent.append(endpoint.send(send))
                self.messages += 1
                self.sent_bytes += (send.stop - send.start) * values.itemsize
            following = self._expect(number + 1)
            for receive, ticket in zip(step.receives, expected, strict=True):
                arrived = endpoint.fetch(ticket)
                self.received_bytes += arrived.nbytes
                own = values[receive.start : receive.stop]
                if step.exchange:
                    self._add_exchanged(own, arrived, receive, ticket, sent)
                    sent = []
                    continue
                if receive.add:
                    np.add(own, arrived, out=own)
                    self.additions += own.size
                elif not np.may_share_memory(arrived, own):
                    own[:] = arrived
                endpoint.release(ticket)
        endpoint.wait_sent(sent)

    def _expect(self, number: int) -> list[Ticket]:
        if number >= len(self._steps):
            return []
        return [self._endpoint.expect(receive, number % 2 == 1) for receive in self._steps[number].receives]

    def _add_exchanged(
        self, own: np.ndarray, arrived: np.ndarray, receive: Receive, ticket: Ticket, sent: list[Ticket]
    ) -> None:
        """Add in the order of the ranks, in memory apart: of two NaN the sum then has the same one's bits on both."""
        first, second = (own, arrived) if self._endpoint.rank < receive.peer else (arrived, own)
        total = self._spare[2, receive.start : receive.stop]
        np.add(first, second, out=total)
        self.additions += own.size
        self._endpoint.release(ticket)
        self._endpoint.wait_sent(sent)
        own[:] = total
