"""Processes that got away from the process that kept them, found by a mark in the environment they began with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Any

import psutil

from harness.runner.server import MARK
from harness.worker.keeper import GRACE_S, ends_by_itself

_ENDING_S = 5.0
_PAUSE_S = 0.01


def end_strays(mark: str, spared: Callable[[], Set[int]]) -> int:
    """Kill every process that carries ``mark``, until none is left; how many they were.

    :param spared: the processes that, with their descendants, are not touched.
    """
    begin_s = time.monotonic()
    killed: set[int] = set()
    while (strays := _strays(mark, spared())) and (passed_s := time.monotonic() - begin_s) < _ENDING_S:
        for process in strays:
            with suppress(psutil.Error):
                if passed_s >= GRACE_S or not ends_by_itself(process):
                    process.kill()
                    killed.add(process.pid)
        time.sleep(_PAUSE_S)
    return len(killed)


def _strays(mark: str, spared: Set[int]) -> list[Any]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.environ().get(MARK) != mark:
                continue
            family = {process.pid, *(parent.pid for parent in process.parents())}
            if process.status() != psutil.STATUS_ZOMBIE and not family & spared:
                found.append(process)
    return found
