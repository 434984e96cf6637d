"""Worker processes as the parent sees them: start, ask, time out, end.

Workers come from a fork server that has imported the heavy packages once, so that a fresh process costs milliseconds.
The parent itself imports none of them.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from harness.records import Status
from harness.worker.main import worker_main
from harness.worker.orders import Order

_LOG_TAIL_BYTES = 2000
_GRACE_S = 2.0
_PADDING = "BAKEOFF_PADDING"
_LARGEST_PADDING_BYTES = 4096
_START = threading.Lock()


class WorkerPool:
    """Starts workers and ends those that are left when it closes.

    :param preload: packages that the fork server imports; absent ones are passed over.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*preload, "harness.worker.main"])
        self._logs = tempfile.TemporaryDirectory(prefix="bakeoff-")
        self._workers: set[Worker] = set()
        self._started = 0

    def new_server(self, seed: int) -> None:
        """End the fork server and start another, with a hash seed and an environment of a size drawn from ``seed``.

        Workers of one server share the addresses of libraries and stack, and the hash seed, and with them a share of
        their luck (Mytkowicz et al. 2009, Producing wrong data without doing anything obviously wrong).

        :raises RuntimeError: a worker of the present server is still there.
        """
        if self._workers:
            raise RuntimeError(f"{len(self._workers)} workers are left of the present fork server")
        _stop_server()
        padding = "x" * (seed % _LARGEST_PADDING_BYTES)
        with _environment({"PYTHONHASHSEED": str(seed % 2**32), _PADDING: padding}):
            multiprocessing.forkserver.ensure_running()

    def start(self, order: Order) -> Worker:
        self._started += 1
        return Worker(self._context, order, Path(self._logs.name, f"{self._started}.log"), self._workers)

    def kill_workers(self) -> None:
        """Have every worker end, at once and without waiting for it; safe in a signal handler."""
        for worker in list(self._workers):
            if worker.pid is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(worker.pid, signal.SIGKILL)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in list(self._workers):
            worker.kill()
        _stop_server()
        self._logs.cleanup()


class Worker:
    """One process with one trial."""

    def __init__(self, context: ForkServerContext, order: Order, log: Path, siblings: set[Worker]) -> None:
        self.order = order
        self._log = log
        self._siblings = siblings
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=worker_main, args=(theirs, json.dumps(order.to_json()), str(log)), daemon=False
        )
        siblings.add(self)  # before it starts, so that an interrupt in between leaves no stray
        with _without_main_module():
            self._process.start()
        theirs.close()

    def ask(self, step: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Have the worker do ``step``; its reply always has a ``status``, and a ``reason`` unless that is ``ok``.

        A worker that dies or does not answer in time is ended, and its reply says so.
        """
        try:
            self._connection.send_bytes(json.dumps({"step": step, "arguments": arguments}).encode())
            if not self._connection.poll(timeout_s):
                self.kill()
                return _failure("timeout", f"no answer within {timeout_s:g} s in step {step!r}")
            reply = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return self._post_mortem(step)
        except ValueError as error:
            self.kill()
            return _failure("crashed", f"sent what is no reply in step {step!r}: {error}")
        if not isinstance(reply, dict) or "status" not in reply:
            self.kill()
            return _failure("crashed", f"sent what is no reply in step {step!r}")
        return reply

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the worker died or was killed."""
        return self not in self._siblings

    def finish(self) -> None:
        """Let the worker end by itself; kill it, and whatever it started, if it does not."""
        self._connection.close()
        self._process.join(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End the worker and every process in its group."""
        pid = self._process.pid
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            if self._process.is_alive():
                self._process.kill()
            self._process.join(_GRACE_S)
        self._connection.close()
        self._siblings.discard(self)

    def _post_mortem(self, step: str) -> dict[str, Any]:
        self._process.join(_GRACE_S)
        code = self._process.exitcode
        self.kill()
        last_words = self._last_words()
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            status: Status = "out_of_memory" if -code == signal.SIGKILL else "crashed"
            likely = ", most likely by the kernel for want of memory" if status == "out_of_memory" else ""
            return _failure(status, f"ended by {name}{likely} in step {step!r}{last_words}")
        return _failure("crashed", f"exited with code {code} in step {step!r}{last_words}")

    def _last_words(self) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, self._log.stat().st_size - _LOG_TAIL_BYTES))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        telling = [line for line in lines if line.strip() and not line.startswith(("  File", "Current thread"))]
        return f": {telling[-1].strip()[:300]}" if telling else ""


def _stop_server() -> None:
    """End the fork server, if there is one, without waiting for strays that it may have left."""
    server: Any = multiprocessing.forkserver._forkserver
    if server._forkserver_pid is not None:
        with suppress(ProcessLookupError):
            os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Keep :mod:`multiprocessing` from importing the program's main module in every worker, which needs none of it."""
    with _START:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


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


def _failure(status: Status, reason: str) -> dict[str, Any]:
    return {"status": status, "reason": reason}


class Deadline:
    """When no further trial is started: after a budget in seconds (``None`` is without end), or when asked to stop."""

    def __init__(self, budget_s: float | None) -> None:
        self._end = None if budget_s is None else time.monotonic() + budget_s
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True

    @property
    def passed(self) -> bool:
        return self.stopped or (self._end is not None and time.monotonic() >= self._end)
