"""Arrays in shared memory that other processes open by name."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory

import numpy as np

_COUNT = struct.Struct("q")


class SharedArray:
    """A one-dimensional array in a block of shared memory, which is removed by :meth:`close`.

    :ivar array: float64 (count,); not to be used after :meth:`close`.
    """

    def __init__(self, count: int) -> None:
        self._block = SharedMemory(create=True, size=max(8 * count, 1))  # there is no block of 0 bytes
        self.array = np.frombuffer(buffer_of(self._block), dtype=np.float64, count=count)

    @property
    def name(self) -> str:
        return self._block.name

    def close(self) -> None:
        del self.array
        self._block.close()
        self._block.unlink()


class InSharedMemory:
    """A way to send an array: one copy into a block that both sides have mapped; the pipe carries its length alone.

    The block is there before the worker is forked, which so inherits the mapping.

    :param used: both sides have touched every page of the block beforehand, as if it had carried an array before. In
        one that has not the array pays for the pages: the system fills each with zeros, and maps it on either side.
    """

    def __init__(self, size_bytes: int, used: bool) -> None:
        self._shared = SharedArray(size_bytes // 8)
        self._used = used
        if used:
            self._shared.array[:] = 0

    def prepare(self) -> None:
        if self._used:
            self._shared.array.max(initial=0)

    def send(self, connection: Connection, array: np.ndarray) -> None:
        self._shared.array[: len(array)] = array
        connection.send_bytes(_COUNT.pack(len(array)))

    def receive(self, connection: Connection) -> np.ndarray:
        (count,) = _COUNT.unpack(connection.recv_bytes())
        return self._shared.array[:count]

    def close(self) -> None:
        self._shared.close()


def buffer_of(block: SharedMemory) -> memoryview:
    """The block's memory.

    :raises ValueError: it has been closed.
    """
    if block.buf is None:
        raise ValueError(f"shared memory {block.name} has been closed")
    return block.buf


def sums_of_parts(name: str, bounds: Sequence[tuple[int, int]]) -> list[int]:
    """In another process: open the array called ``name`` and sum it from each first to each last place."""
    block = SharedMemory(name)
    try:
        array = np.frombuffer(buffer_of(block), dtype=np.float64, count=block.size // 8)
        sums = [int(array[first:last].sum()) for first, last in bounds]
        del array
        return sums
    finally:
        block.close()
