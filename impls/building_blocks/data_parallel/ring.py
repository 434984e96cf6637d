"""Ring all-reduce over shared memory: reduce-scatter, then all-gather (Patarasuk and Yuan 2009, section 3)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from impls.building_blocks.data_parallel.rank import Traffic
from impls.building_blocks.ranks.memory import shared_array
from impls.building_blocks.ranks.signals import Semaphore
from suites.data_parallel.settings import Settings

SEGMENT = 65_536
SLOTS = 4


class Ring:
    """An inbox of ``SLOTS`` segments for every rank; only its left neighbour writes into it."""

    def __init__(self, settings: Settings, dtype: np.dtype) -> None:
        self.ranks = settings.workers
        self.inboxes = torch.from_numpy(shared_array((self.ranks, SLOTS, SEGMENT), dtype))
        self.filled = [Semaphore() for _ in range(self.ranks)]
        self.free = [Semaphore(SLOTS) for _ in range(self.ranks)]

    def close(self) -> None:
        for semaphore in (*self.filled, *self.free):
            semaphore.close()


class RingMember:
    """One rank's place in the ring.

    Chunks travel in segments, so that a segment is added while the next is copied and both are still in the cache.
    """

    def __init__(self, ring: Ring, rank: int, traffic: Traffic) -> None:
        self._ring, self._rank, self._traffic = ring, rank, traffic
        self._right = (rank + 1) % ring.ranks
        self._sent = self._received = 0

    def all_reduce(self, values: Tensor) -> None:
        """Sum ``values`` over all ranks, in place; their number must be a multiple of that of the ranks."""
        ranks, rank = self._ring.ranks, self._rank
        self._traffic.reduced(values)
        chunks = values.view(ranks, -1)
        for step in range(ranks - 1):
            self._shift(chunks[(rank - step) % ranks], chunks[(rank - step - 1) % ranks], add=True)
        for step in range(ranks - 1):
            self._shift(chunks[(rank + 1 - step) % ranks], chunks[(rank - step) % ranks], add=False)

    def _shift(self, outgoing: Tensor, incoming: Tensor, *, add: bool) -> None:
        """Send one chunk to the right and take one from the left, segment by segment."""
        for leaving, arriving in zip(outgoing.split(SEGMENT), incoming.split(SEGMENT), strict=True):
            self._send(leaving)
            self._receive(arriving, add)

    def _send(self, segment: Tensor) -> None:
        self._ring.free[self._right].wait()
        self._ring.inboxes[self._right, self._sent % SLOTS, : len(segment)].copy_(segment)
        self._ring.filled[self._right].post()
        self._sent += 1
        self._traffic.sent(segment)

    def _receive(self, segment: Tensor, add: bool) -> None:
        self._ring.filled[self._rank].wait()
        arrived = self._ring.inboxes[self._rank, self._received % SLOTS, : len(segment)]
        if add:
            segment.add_(arrived)
        else:
            segment.copy_(arrived)
        self._ring.free[self._rank].post()
        self._received += 1
