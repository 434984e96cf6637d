"""Ranks as forked processes that obey commands in step.

A rank is forked from the process that calls, which must not have initialised CUDA. It has the parent's data and
modules at once, so that starting costs milliseconds instead of an interpreter and an import of torch. A rank is killed
by the kernel when its parent ends, however that happens.
"""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import struct
import traceback
import warnings
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
COMMAND = struct.Struct("qq")
READY, FAILED = b"+", b"-"
_LIBC = ctypes.CDLL(None, use_errno=True)

Obey = Callable[[int, int], None]
"""What a rank does on a command of two numbers, whose meaning is the topic's own."""
Enter = Callable[[int], Obey]
"""Called in the new process of a rank with its number: makes what the rank needs, and connects it."""


class RankTeam:
    """``count`` forked ranks that do the same thing when told to."""

    def __init__(self, count: int, enter: Enter) -> None:
        self._count, self._enter = count, enter
        self._processes: list[int] = []
        self._commands: list[int] = []
        self._reports: list[int] = []

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids by rank."""
        return tuple(self._processes)

    def start(self) -> None:
        """Fork the ranks and wait until each has entered.

        :raises RuntimeError: a rank failed; the message has its traceback.
        """
        self.fork()
        self.await_all()

    def fork(self) -> None:
        """Fork the ranks, for a caller who does something while they enter."""
        for number in range(self._count):
            command_read, command_write = os.pipe()
            report_read, report_write = os.pipe()
            parent = os.getpid()
            with warnings.catch_warnings():
                # Python 3.12 warns of any fork beside threads; a rank uses no lock that one of them could hold.
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if process == 0:
                self._be_rank(number, parent, command_read, report_write)
            os.close(command_read)
            os.close(report_write)
            self._processes.append(process)
            self._commands.append(command_write)
            self._reports.append(report_read)

    def run(self, first: int, second: int) -> None:
        """Have every rank obey the command and wait until the last has.

        :raises RuntimeError: a rank failed; the message has its traceback.
        """
        command = COMMAND.pack(first, second)
        for end in self._commands:
            os.write(end, command)
        self.await_all()

    def await_all(self) -> None:
        """Wait until every rank has reported once."""
        with selectors.DefaultSelector() as selector:
            for number, report in enumerate(self._reports):
                selector.register(report, selectors.EVENT_READ, number)
            while selector.get_map():
                for key, _ in selector.select():
                    if os.read(key.fd, 1) != READY:
                        raise RuntimeError(f"rank {key.data} failed:\n{_read_all(key.fd)}")
                    selector.unregister(key.fd)

    def stop(self) -> None:
        """End the ranks; they hold nothing that would need an orderly end."""
        for process in self._processes:
            os.kill(process, signal.SIGKILL)
        for process in self._processes:
            os.waitpid(process, 0)
        for end in (*self._commands, *self._reports):
            os.close(end)
        self._processes, self._commands, self._reports = [], [], []

    def _be_rank(self, number: int, parent: int, commands: int, reports: int) -> None:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            die_with(parent)
            for end in (*self._commands, *self._reports):
                os.close(end)
            # Else the first collection would touch, and so copy, every page that the parent's objects lie on.
            gc.freeze()
            obey = self._enter(number)
            os.write(reports, READY)
            while command := os.read(commands, COMMAND.size):
                obey(*COMMAND.unpack(command))
                os.write(reports, READY)
        except BaseException:
            os.write(reports, FAILED + traceback.format_exc().encode()[-60_000:])
        finally:
            os._exit(1)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends; end it now if that has happened already."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _read_all(descriptor: int) -> str:
    parts = []
    while part := os.read(descriptor, 65_536):
        parts.append(part)
    return b"".join(parts).decode(errors="replace") or "it ended without a word"
