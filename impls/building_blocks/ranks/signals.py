"""Waiting for one another without a lock: counting event descriptors of Linux, inherited over a fork."""

from __future__ import annotations

import os


class Semaphore:
    """A counter in the kernel; :meth:`wait` sleeps until it is above zero and takes one off."""

    def __init__(self, count: int = 0) -> None:
        self._descriptor = os.eventfd(count, os.EFD_SEMAPHORE)

    def post(self) -> None:
        os.eventfd_write(self._descriptor, 1)

    def wait(self) -> None:
        os.eventfd_read(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


class Counter:
    """A counter in the kernel that is read as a whole, for who waits for several of the same kind."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0)
        self._ahead = 0

    def post(self) -> None:
        os.eventfd_write(self._descriptor, 1)

    def wait(self, count: int) -> None:
        """Return when there have been ``count`` more posts than earlier waits of this process have taken."""
        while self._ahead < count:
            self._ahead += os.eventfd_read(self._descriptor)
        self._ahead -= count

    def close(self) -> None:
        os.close(self._descriptor)


class Barrier:
    """Dissemination barrier (Hensgen, Finkel and Manber 1988): lg P rounds, in round k rank r signals rank r + 2^k."""

    def __init__(self, ranks: int) -> None:
        self._distances = [2**k for k in range((ranks - 1).bit_length())]
        self._arrived = [[Semaphore() for _ in range(ranks)] for _ in self._distances]

    def wait(self, rank: int) -> None:
        """Return when every rank has called this as often as the caller has."""
        for distance, arrived in zip(self._distances, self._arrived, strict=True):
            arrived[(rank + distance) % len(arrived)].post()
            arrived[rank].wait()

    def close(self) -> None:
        for arrived in self._arrived:
            for semaphore in arrived:
                semaphore.close()
