"""The fork server of :mod:`multiprocessing`, which this process has one of: start, stop, and what it starts from."""

from __future__ import annotations

import multiprocessing.forkserver
import multiprocessing.process
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from types import ModuleType
from typing import Any

_STARTING = threading.Lock()
_started_with: dict[str, str] = {}


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
