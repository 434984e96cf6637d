"""Ctrl-C: once to finish what is being measured, twice to stop at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.runner.workers import Deadline, WorkerPool


@contextmanager
def stop_on_interrupt(deadline: Deadline, pool: WorkerPool) -> Iterator[None]:
    """At the first interrupt let nothing more begin; at the second end the workers and raise ``KeyboardInterrupt``."""

    def interrupted(signal_number: int, frame: FrameType | None) -> None:
        if deadline.stopped:
            pool.end_all()
            raise KeyboardInterrupt
        deadline.stop()
        # print may be what was interrupted, and is not reentrant
        os.write(
            sys.stderr.fileno(), b"\nbakeoff: finishing what is being measured; press Ctrl-C again to stop at once\n"
        )

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
