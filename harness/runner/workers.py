"""Worker processes as the parent sees them: start, ask, time out, end.

Workers come from a fork server that has imported the heavy packages once, so that a fresh process costs milliseconds.
The parent itself imports none of them. Each worker has a keeper (:mod:`harness.worker.keeper`), which ends all that
the worker has started.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.environment import usable_cpus
from harness.records import Status
from harness.runner.ending import Ending, cause_of_death, count_memory_kills, innermost
from harness.runner.fresh import FreshProcess
from harness.runner.server import NEEDED, ForkServer, server_pids, stop_server, without_main_module
from harness.runner.strays import end_strays
from harness.worker.entry import begin
from harness.worker.keeper import ABORT, END, ENDING_S
from harness.worker.orders import Order
from harness.worker.preloading import PRELOAD

_GRACE_S = 2.0
_START_ATTEMPTS = 3
_UNLIMITED_STEPS = ("sample",)
"""Not to be disturbed by setting a limit, which the step before has set."""


class WorkerPool:
    """Starts workers and ends those that are left when it closes, with all their processes and temporary files.

    :param server: what it forks them from, running or not; it ends with the pool.
    """

    def __init__(self, server: ForkServer) -> None:
        self.server = server
        self._workers: set[Worker] = set()
        self._numbers = itertools.count(1)
        self._side_by_side = usable_cpus()

    @property
    def mark(self) -> str:
        """What the environment variable ``BAKEOFF_POOL`` holds in every process of this pool."""
        return self.server.mark

    def new_server(self, seed: int) -> None:
        """Start the fork server anew, with a hash seed and an environment of a size drawn from ``seed``.

        Workers of one server share the addresses of libraries and stack, and the hash seed, and with them a share of
        their luck (Mytkowicz et al. 2009, Producing wrong data without doing anything obviously wrong).

        :raises RuntimeError: a worker of the present server is still there.
        """
        if self._workers:
            raise RuntimeError(f"{len(self._workers)} workers are left of the present fork server")
        self.server.start_anew(seed)

    def start(self, order: Order) -> Worker:
        for attempt in range(1, _START_ATTEMPTS + 1):
            scratch = self.server.folder / str(next(self._numbers))
            scratch.mkdir()
            server = None if order.fresh else self.server.ensure_running()
            try:
                return Worker(self, order, scratch)
            except (EOFError, ConnectionError):  # the server was killed just now
                if attempt == _START_ATTEMPTS or server is None:
                    raise
                stop_server(server)
        raise AssertionError("there is at least one attempt")

    def new_process(
        self, order: Order, arguments: tuple[Connection, Connection, str, str]
    ) -> BaseProcess | FreshProcess:
        """A worker's process, which is yet to be started: an interpreter of its own, or a fork of the server."""
        if order.fresh:
            python, preload = order.python or sys.executable, () if order.bare else self.server.preload
            variables = {name: value for name, value in self.server.variables.items() if name != PRELOAD}
            return FreshProcess(python, arguments, self.server.folder, variables, (*preload, *NEEDED))
        return self.server.context.Process(target=begin, args=arguments, daemon=False)

    @contextmanager
    def side_by_side(self, workers: int) -> Iterator[None]:
        """Divide the memory among as many workers as may be busy at once; outside, one for each CPU may be."""
        before, self._side_by_side = self._side_by_side, workers
        try:
            yield
        finally:
            self._side_by_side = before

    def end_all(self) -> None:
        """Have every worker ended, without waiting; whoever waits for an answer is told so. From any thread."""
        for worker in list(self._workers):
            worker.tell(END)

    def end_strays(self) -> None:
        """End what carries the pool's mark and belongs to no worker any more."""
        end_strays(self.mark, lambda: {*server_pids(), *(worker.pid for worker in list(self._workers) if worker.pid)})

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end_all()
        for worker in list(self._workers):
            worker.kill()
        stop_server()  # its folder is still there for strays
        self.end_strays()
        self.server.close()


class Worker:
    """One process with one trial."""

    def __init__(self, pool: WorkerPool, order: Order, scratch: Path) -> None:
        self.order = order
        self._pool = pool
        self._asked = ""
        self._told = False
        self._ending: Ending | None = None
        self._memory_kills = count_memory_kills()
        context = pool.server.context
        self._connection, connection = context.Pipe()
        self._control, control = context.Pipe()
        self._process = pool.new_process(order, (connection, control, json.dumps(order.to_json()), str(scratch)))
        pool._workers.add(self)  # before it starts, so that an interrupt in between leaves no stray
        try:
            with without_main_module():
                self._process.start()
        except (EOFError, ConnectionError):
            pool._workers.discard(self)
            self.tell(END)  # a keeper may have been started nonetheless; by a mere close it would take us for gone
            self._connection.close()
            self._control.close()
            raise
        finally:
            connection.close()
            control.close()

    def ask(self, step: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Have the worker do ``step``; its reply always has a ``status``, and a ``reason`` unless that is ``ok``.

        A worker that dies or does not answer in time is ended, and its reply says so.
        """
        request: dict[str, Any] = {"step": step, "arguments": arguments}
        if step not in _UNLIMITED_STEPS:
            request["side_by_side"] = self._pool._side_by_side
        self._asked = step
        try:
            self._connection.send_bytes(json.dumps(request).encode())
            # The keeper's end as well: what the worker has started may hold the connection open.
            ready = wait([self._connection, self._control], timeout_s)
            if not ready:
                self.kill(ABORT)
                return _failure("timeout", f"no answer within {timeout_s:g} s in step {step!r}{self._place()}")
            if self._connection not in ready:
                return self._post_mortem(step)
            reply = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return self._post_mortem(step)
        except ValueError as error:
            self.kill()
            return _failure("crashed", f"sent what is no reply in step {step!r}: {error}")
        if not isinstance(reply, dict) or "status" not in reply:
            self.kill()
            return _failure("crashed", f"sent what is no reply in step {step!r}")
        self._asked = ""
        return reply

    @property
    def pid(self) -> int | None:
        """The number of its keeper's process, of which all its others descend."""
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Whether it is asked for something that it has not answered yet."""
        return bool(self._asked)

    @property
    def ended(self) -> bool:
        """Whether the worker died or was killed."""
        return self not in self._pool._workers

    def release(self) -> None:
        """Let the worker end by itself, without waiting."""
        if not self.busy:  # it waits, so it sees at once that nothing more comes
            self._connection.close()

    def finish(self) -> list[str]:
        """Let the worker end by itself, and kill it if it does not; what a record should be flagged with."""
        if self.ended:
            return []
        self.release()
        if not self.busy:
            self._hear(_GRACE_S)
        by_itself = self._ending is not None
        self.kill()
        return ["left_processes"] if by_itself and self._ending and self._ending.left else []

    def kill(self, command: bytes = END) -> None:
        """End the worker and every process that descends from it."""
        if self.ended:
            return
        if self._process.pid is not None:
            if self._ending is None:
                self.tell(command)
                self._hear(ENDING_S + _GRACE_S)
            if self._ending is None:  # the keeper was killed, or stopped, by what it keeps
                self._process.kill()
            self._process.join(_GRACE_S)
        self._connection.close()
        self._control.close()
        self._pool._workers.discard(self)
        if self._ending is None:
            self._pool.end_strays()

    def tell(self, command: bytes) -> None:
        """Tell the keeper, if it is there, to end the worker."""
        self._told = True
        with suppress(OSError):
            self._control.send_bytes(command)
            if self._process.pid is not None:
                os.kill(self._process.pid, signal.SIGCONT)  # what it keeps may have stopped it

    def _hear(self, timeout_s: float) -> None:
        """Wait for the keeper's last report."""
        with suppress(EOFError, OSError):
            if self._ending is None and self._control.poll(timeout_s):
                self._ending = Ending(**json.loads(self._control.recv_bytes()))

    def _post_mortem(self, step: str) -> dict[str, Any]:
        self._hear(_GRACE_S)
        told, kills = self._told, count_memory_kills()
        self.kill()
        if told:
            return _failure("crashed", f"ended by the runner in step {step!r}")
        exhausted = None if kills is None or self._memory_kills is None else kills > self._memory_kills
        status, reason = cause_of_death(self._ending, self._file, exhausted)
        return _failure(status, f"{reason} (in step {step!r})")

    def _place(self) -> str:
        """Where the worker was when it was ended."""
        place = innermost(self._ending.output, self._file) if self._ending else ""
        return f", at {place}" if place else ""

    @property
    def _file(self) -> str:
        return self.order.code.path if self.order.code else ""


def _failure(status: Status, reason: str) -> dict[str, Any]:
    return {"status": status, "reason": reason}


class Deadline:
    """When no further trial is started: after a budget in seconds (``None`` is without end), or when asked to stop."""

    def __init__(self, budget_s: float | None) -> None:
        self._end = None if budget_s is None else time.monotonic() + budget_s
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True

    def postpone(self, seconds: float) -> None:
        """Leave out of the budget what was no measuring."""
        if self._end is not None:
            self._end += seconds

    @property
    def passed(self) -> bool:
        return self.stopped or (self._end is not None and time.monotonic() >= self._end)
