"""Forking without anything around it (fork(2), _exit(2), waitpid(2))."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Iterator

import numpy as np


def fork_and_end(workers: int) -> Iterator[np.ndarray | None]:
    """The phases of one call: fork so many processes that end at once, do nothing, wait for each of them.

    :raises RuntimeError: one ended otherwise.
    """
    processes: list[int] = []
    try:
        with warnings.catch_warnings():
            # Python 3.12 warns of any fork beside threads; these processes do nothing that a lock could keep them from.
            warnings.simplefilter("ignore", DeprecationWarning)
            for _ in range(workers):
                process = os.fork()
                if process == 0:
                    os._exit(0)
                processes.append(process)
        yield None
        yield np.empty(0, dtype=np.int64)
        while processes:
            _, status = os.waitpid(processes.pop(), 0)
            if status:
                raise RuntimeError(f"a forked process ended with exit code {os.waitstatus_to_exitcode(status)}")
        yield None
    finally:
        for process in processes:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
