"""Sending one array to a running process, which reads every page of it and answers with a sum."""

from __future__ import annotations

import multiprocessing
import pickle
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

import numpy as np

from impls.building_blocks.concurrency.processes import start_forked
from impls.building_blocks.concurrency.serving import READY
from impls.building_blocks.concurrency.team import WorkerDied

PAGE_NUMBERS = 512
"""Of eight bytes each to a page of 4 KiB."""
ANSWER = struct.Struct("q")
PICKLE_PROTOCOL = 5
Serve = Callable[[Connection], None]


class Way(Protocol):
    """How an array gets to the other process."""

    def prepare(self) -> None:
        """Called in the worker, before it is ready."""

    def send(self, connection: Connection, array: np.ndarray) -> None:
        """Called in the caller."""

    def receive(self, connection: Connection) -> np.ndarray:
        """Called in the worker; raises EOFError when nothing more comes."""

    def close(self) -> None:
        """Called in the caller, once the worker has ended."""


def sum_of_pages(array: np.ndarray) -> int:
    """The sum of the first number of every page, so that every page is read."""
    return int(array[::PAGE_NUMBERS].sum())


def transfer(way: Way, array: np.ndarray) -> Iterator[np.ndarray | None]:
    """The phases of one call: start the worker, send the array and hear the answer, let the worker end."""
    with _running(way) as (connection, process):
        yield None
        way.send(connection, array)
        try:
            (answer,) = ANSWER.unpack(connection.recv_bytes())
        except (EOFError, ConnectionResetError) as error:
            process.join()
            raise WorkerDied(f"the receiver ended with exit code {process.exitcode}") from error
        yield np.array([answer], dtype=np.int64)
        connection.close()
        process.join()
        yield None


@contextmanager
def _running(way: Way) -> Iterator[tuple[Connection, BaseProcess]]:
    """The caller's end and the process; both are gone at the end, whatever happens."""
    ours, theirs = multiprocessing.Pipe()

    def serve() -> None:
        ours.close()  # the fork's copy: it would wait for itself
        way.prepare()
        theirs.send_bytes(READY)
        while True:
            try:
                array = way.receive(theirs)
            except EOFError:
                return
            theirs.send_bytes(ANSWER.pack(sum_of_pages(array)))
            del array

    process = start_forked(serve)
    theirs.close()
    try:
        ours.recv_bytes()
        yield ours, process
    finally:
        ours.close()
        process.kill()
        process.join()
        way.close()


class Pickled:
    """The whole array as one pickle, copied when it is made, into the kernel, out of it and when it is opened."""

    def prepare(self) -> None:
        """Nothing is needed."""

    def send(self, connection: Connection, array: np.ndarray) -> None:
        connection.send_bytes(pickle.dumps(array, protocol=PICKLE_PROTOCOL))

    def receive(self, connection: Connection) -> np.ndarray:
        received: np.ndarray = pickle.loads(connection.recv_bytes())
        return received

    def close(self) -> None:
        """Nothing is held."""


class OutOfBand:
    """The array's own memory without a copy into a pickle (PEP 574), received into memory that is kept for the next."""

    def __init__(self, size_bytes: int) -> None:
        self._space = np.empty(size_bytes // 8)

    def prepare(self) -> None:
        """Have the worker's own pages of the space."""
        self._space[::PAGE_NUMBERS] = 0

    def send(self, connection: Connection, array: np.ndarray) -> None:
        connection.send_bytes(pickle.dumps((array.shape, array.dtype.str), protocol=PICKLE_PROTOCOL))
        if array.size:
            connection.send_bytes(array.data.cast("B"))

    def receive(self, connection: Connection) -> np.ndarray:
        shape, dtype = pickle.loads(connection.recv_bytes())
        count = int(np.prod(shape))
        received: np.ndarray = self._space[:count].view(dtype).reshape(shape)
        if count:
            connection.recv_bytes_into(received.data.cast("B"))
        return received

    def close(self) -> None:
        """Nothing is held."""
