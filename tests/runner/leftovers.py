"""What a run may leave behind: compared before and after, and nothing may be more."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

from harness.runner.strays import MARK

TOKEN = f"3600.{os.getpid():07d}"
"""Names what contestants of these tests start and leave: seconds for ``sleep``, part of names in shared memory."""
SHARED_MEMORY = Path("/dev/shm")
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Traces:
    """What there is now of processes, threads, files and settings that a contestant may have made or changed.

    :param processes: those of pools whose temporary files go where ours do, and those with the token among their
        arguments.
    """

    processes: frozenset[str]
    threads: frozenset[str]
    temporary: frozenset[str]
    shared: frozenset[str]
    pipes: int
    folder: str
    environment: frozenset[tuple[str, str]]
    handlers: tuple[object, ...]
    filters: int

    @classmethod
    def now(cls) -> Traces:
        return cls(
            processes=frozenset(_processes()),
            threads=frozenset(f"{thread.name} {thread.ident}" for thread in threading.enumerate()),
            temporary=frozenset(_entries(Path(tempfile.gettempdir()))),
            shared=frozenset(file.name for file in SHARED_MEMORY.glob(f"*{TOKEN}*")),
            pipes=_pipes(),
            folder=str(Path.cwd()),
            environment=frozenset((name, value) for name, value in os.environ.items() if "PYTEST" not in name),
            handlers=tuple(signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)),
            filters=len(warnings.filters),
        )


def differences(before: Traces) -> dict[str, tuple[object, object]]:
    """What is other than ``before``, after some seconds of patience."""
    end_s = time.monotonic() + _PATIENCE_S
    while (now := Traces.now()) != before and time.monotonic() < end_s:
        time.sleep(0.05)
    pairs = {field.name: (getattr(before, field.name), getattr(now, field.name)) for field in fields(Traces)}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def _entries(folder: Path) -> Iterator[str]:
    """All files and folders below; what goes away meanwhile is passed over, which ``rglob`` does not do."""
    for above, folders, files in os.walk(folder):
        yield from (f"{above}/{name}" for name in (*folders, *files))


def _processes() -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
            environment = process.environ()
            marked = MARK in environment and environment.get("TMPDIR") == tempfile.gettempdir()
            if process.status() != psutil.STATUS_ZOMBIE and (marked or any(TOKEN in each for each in arguments)):
                found.append(f"{process.pid} {' '.join(arguments)[:200]}")
        except psutil.Error:
            continue
    return found


def _pipes() -> int:
    """How many pipes and sockets this process has open."""
    count = 0
    for file in Path("/proc/self/fd").iterdir():
        try:
            count += str(file.readlink()).startswith(("pipe:", "socket:"))
        except OSError:
            continue
    return count
