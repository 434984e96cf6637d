"""Processes of :mod:`multiprocessing`, started by any of its three methods, that are sent their work through pipes.

A process ends by itself when its parent's end of the pipe closes, however that happens.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from types import ModuleType
from typing import Any, Literal

import numpy as np

from impls.building_blocks.concurrency.foreign import pure
from impls.building_blocks.concurrency.pieces import Piece, in_order, shares_of
from impls.building_blocks.concurrency.serving import READY, serve
from impls.building_blocks.concurrency.team import WorkerDied
from suites.concurrency.job import Job

Method = Literal["fork", "forkserver", "spawn"]


class ProcessTeam:
    """As many processes as the job has workers."""

    def __init__(self, method: Method, job: Job) -> None:
        self._method = method
        self._context: Any = multiprocessing.get_context(method)
        self._job = job
        self._processes: list[BaseProcess] = []
        self._connections: list[Connection] = []

    def start(self) -> None:
        with starting(self._method):
            for _ in range(self._job.workers):
                if self._job.task == "empty":
                    self._launch(self._context.Process(target=pure.nothing))
                else:
                    self._start_server()
        for number, connection in enumerate(self._connections):
            self._hear(number, connection)

    def run(self, pieces: Sequence[Piece]) -> np.ndarray:
        if not pieces:
            return np.empty(0, dtype=np.int64)
        for number, share in enumerate(shares_of(pieces, self._job.workers)):
            try:
                self._connections[number].send(share)
            except BrokenPipeError as error:
                raise self._death(number) from error
        answers = []
        for number, connection in enumerate(self._connections):
            answer = self._hear(number, connection)
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return in_order(answers, len(pieces))

    def join(self) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.join()
            process.close()
        self._processes, self._connections = [], []

    def abandon(self) -> None:
        for process in self._processes:
            process.kill()
        self.join()

    def _start_server(self) -> None:
        ours, theirs = self._context.Pipe()
        self._connections.append(ours)
        # Only a fork has them open; the other methods would have to send them along.
        inherited = tuple(self._connections) if self._method == "fork" else ()
        try:
            self._launch(self._context.Process(target=serve, args=(theirs, inherited)))
        finally:
            theirs.close()

    def _launch(self, process: BaseProcess) -> None:
        process.start()
        self._processes.append(process)

    def _hear(self, number: int, connection: Connection) -> Any:
        """The next answer of a process; nothing when it says that it is ready."""
        try:
            said = connection.recv_bytes()
        except (EOFError, ConnectionResetError) as error:
            raise self._death(number) from error
        return None if said == READY else pickle.loads(said)

    def _death(self, number: int) -> WorkerDied:
        process = self._processes[number]
        process.join()
        return WorkerDied(f"process {number} ended with exit code {process.exitcode} before it had answered")


def start_forked(serve: Callable[[], None]) -> BaseProcess:
    """A forked process that calls a function, which may be any: nothing is pickled."""
    with starting("fork"):
        process = multiprocessing.get_context("fork").Process(target=serve)
        process.start()
    return process


def in_a_process(method: Method) -> Callable[..., None]:
    """A function that has a new process call a function, and waits for its end."""

    def run(function: Callable[..., object], *arguments: object) -> None:
        context: Any = multiprocessing.get_context(method)
        with starting(method):
            process = context.Process(target=function, args=arguments)
            process.start()
        process.join()
        if process.exitcode:
            raise WorkerDied(f"the process ended with exit code {process.exitcode}")

    return run


@contextmanager
def starting(method: Method) -> Iterator[None]:
    """What has to be so while processes are started.

    The program's main module is hidden: spawned processes would import it anew, whatever it is, and their cost would be
    that of its imports.
    """
    if method == "forkserver":
        _arrange_server()
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of any fork beside threads; these processes use no lock that one of them could hold.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        sys.modules["__main__"] = main


@cache
def _arrange_server() -> None:
    """Once for this process: what the fork server imports before it forks, and that it ends with this process.

    By itself it would notice a moment too late that this process is gone.
    """
    multiprocessing.set_forkserver_preload([serve.__module__, pure.__name__])
    server: Any = multiprocessing.forkserver._forkserver

    def stop() -> None:
        with suppress(FileNotFoundError):  # its socket, gone with a temporary folder
            server._stop()

    Finalize(None, stop, exitpriority=0)
