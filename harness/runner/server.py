"""The process that workers are forked from, of which this process has one at a time: start, stop, start anew.

Little is imported here, so that a program can start it first and import what it needs itself meanwhile.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.process
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.worker import preloading
from harness.worker.preloading import PRELOAD

MARK = "BAKEOFF_POOL"
"""The environment variable that tells which server a process descends from; its value is of one server alone."""
NEEDED = ("numpy.random", "harness.worker.main")
"""What every worker needs; NumPy by itself leaves its generators to their first use."""
_PADDING = "BAKEOFF_PADDING"
_LARGEST_PADDING_BYTES = 4096
_STARTING = threading.Lock()
_started_with: dict[str, str] = {}


class ForkServer:
    """Has imported the heavy packages once, so that a fresh process costs milliseconds.

    :param preload: packages to import; absent ones are passed over.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        self.preload = tuple(preload)
        self.context: ForkServerContext = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([preloading.__name__, *NEEDED])
        self._folder = tempfile.TemporaryDirectory(prefix="bakeoff-", ignore_cleanup_errors=True)
        self.variables = self._told()

    @property
    def folder(self) -> Path:
        """Where its socket and all that its processes leave in files are; it goes with the server."""
        return Path(self._folder.name)

    @property
    def mark(self) -> str:
        """What the environment variable ``BAKEOFF_POOL`` holds in every process that descends from it."""
        return self.folder.name

    def start_anew(self, seed: int) -> None:
        """End it if it runs, and start it with a hash seed and an environment of a size drawn from ``seed``.

        It imports in a process of its own, while this one goes on.
        """
        stop_server()
        padding = "x" * (seed % _LARGEST_PADDING_BYTES)
        self.variables = {**self._told(), "PYTHONHASHSEED": str(seed % 2**32), _PADDING: padding}
        self.ensure_running()

    def ensure_running(self) -> int:
        """The number of its process, which is started if it is not there."""
        return start_server(self.variables, self._folder.name)

    def close(self) -> None:
        """End it and remove its folder."""
        stop_server()
        self._folder.cleanup()

    def _told(self) -> dict[str, str]:
        """What the server finds in its environment.

        With more threads than one, OpenBLAS starts them in every forked process again before it is told of another
        number, and each spins on the process's CPU (for 14 to 23 ms where it was measured) before it sleeps.
        """
        return {MARK: self.mark, PRELOAD: json.dumps(self.preload), "OPENBLAS_NUM_THREADS": "1"}


def start_server(variables: Mapping[str, str], folder: str) -> int:
    """Start the server with ``variables`` in its environment and its socket in ``folder``, unless it runs like that.

    :returns: the number of its process.
    """
    with _STARTING:
        if _runs() and _started_with != variables:  # another pool's
            _stop()
        if not _runs():
            _started_with.clear()
            _started_with.update(variables)
            resource_tracker.ensure_running()  # without the variables: it is this process's, and outlives the server
            with _environment(variables), _socket_folder(folder):
                multiprocessing.forkserver.ensure_running()
        (pid,) = server_pids()
        os.kill(pid, signal.SIGCONT)  # one that somebody has stopped would keep us waiting
        return pid


def stop_server(pid: int | None = None) -> None:
    """End the fork server, if there is one, without waiting for strays that it may have left.

    :param pid: only if this is its process, and no other thread has replaced it.
    """
    with _STARTING:
        if pid in (None, *server_pids()):
            _stop()


def server_pids() -> Set[int]:
    """The number of the server's process, if it runs."""
    pid = multiprocessing.forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    return set() if pid is None else {pid}


@contextmanager
def without_main_module() -> Iterator[None]:
    """Keep :mod:`multiprocessing` from importing the program's main module in every worker, which needs none of it."""
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _stop() -> None:
    server: Any = multiprocessing.forkserver._forkserver
    for pid in server_pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(FileNotFoundError):  # its socket
            server._stop()


def _runs() -> bool:
    """Whether the server is there; if it was killed, multiprocessing still has to take note of it."""
    look = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return any(os.waitid(os.P_PID, pid, look) is None for pid in server_pids())


@contextmanager
def _socket_folder(folder: str) -> Iterator[None]:
    """Not the folder that multiprocessing makes for itself, which nobody removes when this process is killed."""
    config: dict[str, Any] = multiprocessing.process.current_process()._config  # type: ignore[attr-defined]
    before = config.get("tempdir")
    config["tempdir"] = folder
    try:
        yield
    finally:
        config["tempdir"] = before


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
