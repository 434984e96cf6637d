"""Memory that forked processes share."""

from __future__ import annotations

import mmap
import os
import socket

import numpy as np


def shared_array(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Zeros in memory that forked processes share; it has no name and goes with its last user."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype=dtype, count=int(np.prod(shape))).reshape(shape)


class MemoryMail:
    """Hands memory to processes that were forked before it was made; it has no name and goes with its last user."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()

    def send(self, descriptor: int) -> None:
        socket.send_fds(self._ours, [b"m"], [descriptor])

    def receive(self, size: int) -> mmap.mmap:
        """Called in the other process, once for each :meth:`send`."""
        _, descriptors, _, _ = socket.recv_fds(self._theirs, 1, 1)
        try:
            return mmap.mmap(descriptors[0], size)
        finally:
            os.close(descriptors[0])

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()
