"""Starting a worker in another interpreter instead of forking it: slower, and with packages of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import harness
from harness.worker.fresh import START


class FreshProcess:
    """A keeper's process, with that part of the interface of ``multiprocessing.Process`` which the runner uses.

    :param python: the interpreter; it finds the engine that runs here whatever else is installed there.
    :param arguments: of :func:`harness.worker.main.worker_main`.
    :param folder: where a link to the engine is kept.
    :param variables: what its environment has besides this process's.
    :param preload: packages to import first; absent ones are passed over.
    """

    def __init__(
        self,
        python: str,
        arguments: tuple[Connection, Connection, str, str],
        folder: Path,
        variables: Mapping[str, str],
        preload: Sequence[str],
    ) -> None:
        self._python = python
        self._arguments = arguments
        self._engine = folder / "engine"
        self._variables = variables
        self._preload = preload
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """:raises OSError: the interpreter is not there."""
        self._engine.mkdir(exist_ok=True)
        with suppress(FileExistsError):
            (self._engine / "harness").symlink_to(Path(harness.__file__).resolve().parent)
        connection, control, order, scratch = self._arguments
        ends = (connection.fileno(), control.fileno())
        self._process = subprocess.Popen(
            [self._python, "-c", START, *map(str, ends), order, scratch, json.dumps(list(self._preload))],
            cwd=scratch,
            env={**os.environ, **self._variables, "PYTHONPATH": str(self._engine)},
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def kill(self) -> None:
        if self._process:
            self._process.kill()

    def join(self, timeout_s: float) -> None:
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
