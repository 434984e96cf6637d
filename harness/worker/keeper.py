"""The process around a worker: it takes in what the worker prints, and ends everything that the worker started.

An implementation may start processes that leave its process group, forget their environment and outlive it. The keeper
is a subreaper (``PR_SET_CHILD_SUBREAPER``, prctl(2)): whatever descends from the worker and loses its parent becomes
the keeper's child. Once the keeper has no child any more, nothing of the worker is left. It also ends all of it when
the runner is gone, however that happened.
"""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing.forkserver
import os
import selectors
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

END, ABORT = b"end", b"abort"
"""What the runner tells a keeper: end the worker; or have it say first where it is, then end it."""
ENDING_S = 10.0
"""What ending a worker's processes may take; a chain of processes that fork and exit cannot be caught for sure."""
EXIT_UNHEARD = 120
"""The worker's exit code when it cannot answer any more, because the descriptor for it was closed."""
TAIL_BYTES = 4000
GRACE_S = 1.0
"""How long what ends by itself may take: a resource tracker removes first what its users have left."""

_ABORT_S = 0.5
_CHUNK_BYTES = 1 << 16
_MOST_CHUNKS = 64
_PAUSE_S = 0.001
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
# A signal to the process group of a worker's parent ends here.
_IGNORED = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
    signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
)  # fmt: skip


def fork_worker(connection: Connection, control: Connection, scratch: Path) -> int:
    """Fork; return in the worker alone, with the descriptor for its output, while this process becomes its keeper.

    :param connection: the worker's; the keeper closes it, so that the runner sees when the worker is gone.
    :param control: the keeper's; when it closes, the runner is gone.
    :param scratch: the worker's own folder, which the keeper removes.
    """
    os.setsid()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _leave_servers()
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    output, into = os.pipe()
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)
        control.close()
        os.close(output)
        os.set_inheritable(connection.fileno(), False)  # it came through a socket, and would live on in programs
        return into
    try:
        os.close(into)
        connection.close()
        _Keeper(worker, control, output, scratch).run()
    except BaseException:  # it must not go on as if it were the worker
        traceback.print_exc()
    finally:
        os._exit(0)


class _Keeper:
    def __init__(self, worker: int, control: Connection, output: int, scratch: Path) -> None:
        self._worker = worker
        self._control = control
        self._output = output
        self._scratch = scratch
        self._exit_code: int | None = None
        self._tail = b""
        self._orphaned = False
        os.set_blocking(output, False)
        self._wake, wake = os.pipe()
        for end in (self._wake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # else no byte is written when a child ends
        signal.set_wakeup_fd(wake)
        gc.disable()  # a collection would touch, and so copy, every page that the fork server's objects lie on

    def run(self) -> None:
        self._watch()
        self._take_output()
        exit_code = self._exit_code
        left = self._end_descendants()
        # Without a runner all its workers end, and nobody else removes the folder that theirs lie in.
        shutil.rmtree(self._scratch.parent if self._orphaned else self._scratch, ignore_errors=True)
        report = {"exit_code": exit_code, "left": left, "output": self._tail.decode(errors="replace")}
        with suppress(OSError):
            self._control.send_bytes(json.dumps(report).encode())

    def _watch(self) -> None:
        """Take in output until the worker ends or the runner wants it to."""
        deadline: float | None = None
        with selectors.DefaultSelector() as selector:
            for end in (self._output, self._control.fileno(), self._wake):
                selector.register(end, selectors.EVENT_READ)
            while self._reap() and self._exit_code is None:
                left_s = None if deadline is None else deadline - time.monotonic()
                if left_s is not None and left_s <= 0:
                    return
                for key, _ in selector.select(left_s):
                    if key.fd == self._output and not self._take_output():
                        selector.unregister(self._output)
                    elif key.fd == self._wake:
                        os.read(self._wake, _CHUNK_BYTES)
                    elif key.fd == self._control.fileno():
                        if not self._is_told_to_abort():
                            return
                        deadline = time.monotonic() + _ABORT_S

    def _is_told_to_abort(self) -> bool:
        try:
            command = self._control.recv_bytes()
        except (EOFError, OSError):
            self._orphaned = True
            return False
        if command != ABORT:
            return False
        for number in (signal.SIGABRT, signal.SIGCONT):  # it may have stopped itself
            with suppress(ProcessLookupError):
                os.kill(self._worker, number)
        return True

    def _take_output(self, keep: bool = True) -> bool:
        """Read what is there, up to a limit; whether more may come."""
        for _ in range(_MOST_CHUNKS):
            try:
                chunk = os.read(self._output, _CHUNK_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                return False
            if keep:
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        return True

    def _reap(self) -> bool:
        """Note how the worker ended; whether any process is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._worker:
                self._exit_code = os.waitstatus_to_exitcode(status)

    def _end_descendants(self) -> int:
        """Kill children until there are none, theirs becoming ours as they go; how many others than the worker."""
        begin_s = time.monotonic()
        killed: set[int] = set()
        while self._reap() and (passed_s := time.monotonic() - begin_s) < ENDING_S:
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    if not ends_by_itself(child):
                        child.kill()
                        killed.add(child.pid)
                    elif passed_s >= GRACE_S:
                        child.kill()
            self._take_output(keep=False)
            time.sleep(_PAUSE_S)
        return len(killed - {self._worker})


def ends_by_itself(process: Any) -> bool:
    """Whether a process needs no killing, only time.

    One is a resource tracker, which removes shared memory when its users are gone. The other is whatever has no
    command line: it has given up its memory, and is not yet a zombie.

    :raises psutil.Error: it is gone already.
    """
    command = process.cmdline()
    return process.pid != os.getpid() and (not command or any("resource_tracker" in argument for argument in command))


def _leave_servers() -> None:
    """Have this process and its worker use the runner's helper processes no longer.

    Whatever the implementation wants of :mod:`multiprocessing` is then started below it, and ended with it.
    """
    server: Any = multiprocessing.forkserver._forkserver
    tracker: Any = resource_tracker._resource_tracker
    for holder, name in ((server, "_forkserver_alive_fd"), (tracker, "_fd")):
        if getattr(holder, name) is not None:
            os.close(getattr(holder, name))
            setattr(holder, name, None)
    server._forkserver_address = server._inherited_fds = server._forkserver_pid = tracker._pid = None


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere what a worker starts is found by its environment, when the pool closes."""
    if sys.platform == "linux":
        call: Callable[..., int] = ctypes.CDLL(None).prctl
        call(option, value, 0, 0, 0)
