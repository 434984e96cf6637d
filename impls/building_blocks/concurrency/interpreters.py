"""Other interpreters of this machine: finding one, and having it do pure-Python work."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from harness.contract import Unavailable
from impls.building_blocks.concurrency.foreign import server
from impls.building_blocks.concurrency.pieces import in_order
from impls.building_blocks.concurrency.team import WorkerDied
from suites.concurrency.job import Job

How = Literal["serial", "threads", "interpreters"]

_ROOT = Path(__file__).parents[3]
_FOLDERS = (".pyenv/versions/{version}*/bin", ".local/share/uv/python/cpython-{version}*/bin")
"""In the home folder, where interpreters that are not on the path are commonly installed."""
_QUESTION = (
    "import sys, sysconfig; print(*sys.version_info[:2], sysconfig.get_config_var('Py_GIL_DISABLED') or 0, "
    "sys.implementation.name, sep='.')"
)
_TIMEOUT_S = 20.0


def in_interpreter(
    version: str, how: How, job: Job, seeds: np.ndarray, *, free_threaded: bool = False
) -> Iterator[np.ndarray | None]:
    """The phases of one call in CPython ``version``, see :func:`run_in`.

    :raises Unavailable: it is not installed here.
    """
    yield from run_in(find(version, free_threaded), how, job, seeds)


def run_in(python: str, how: How, job: Job, seeds: np.ndarray) -> Iterator[np.ndarray | None]:
    """The phases of one call: start the interpreter with this path and its workers, work, end it."""
    team = _Interpreter(python)
    try:
        team.ask({"start": how, "workers": job.workers})
        yield None
        bounds = [job.bounds(piece) for piece in range(job.pieces)]
        pieces = [[int(seed), last - first] for seed, (first, last) in zip(seeds, bounds, strict=True)]
        shares = [pieces[worker :: job.workers] for worker in range(job.workers)]
        yield in_order(team.ask({"task": job.task, "shares": shares}), job.pieces)
        team.ask({"join": True})
        team.end()
        yield None
    finally:
        team.kill()


@cache
def find(version: str, free_threaded: bool = False) -> str:
    """The path of a CPython of this version, such as ``3.14``, built with or without the interpreter lock.

    :raises Unavailable: none is on the path or where they are commonly installed.
    """
    wanted = f"{version}.{int(free_threaded)}.cpython"
    for candidate in _candidates(version):
        try:
            said = subprocess.run(
                [candidate, "-c", _QUESTION], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if said.stdout.strip() == wanted:
            return str(candidate)
    kind = "free-threaded CPython" if free_threaded else "CPython"
    raise Unavailable(f"{kind} {version} is not installed")


def _candidates(version: str) -> Iterator[Path]:
    folders = [Path(folder) for folder in os.get_exec_path()]
    for pattern in _FOLDERS:
        folders += sorted(Path.home().glob(pattern.format(version=version)))
    for folder in folders:
        for name in (f"python{version}", f"python{version}t"):
            if (folder / name).is_file():
                yield folder / name


class _Interpreter:
    """A running server in another interpreter."""

    def __init__(self, python: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment = {**kept, "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [python, "-s", "-m", server.__name__],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ask(self, order: dict[str, Any]) -> Sequence[Sequence[int]]:
        """:raises RuntimeError: the order failed there; the message says how.
        :raises WorkerDied: the interpreter ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            said = self._process.stderr.read().strip().split("\n")[-1]
            raise WorkerDied(f"the other interpreter ended with exit code {self._process.wait()}: {said}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        answer: Sequence[Sequence[int]] = reply["answer"]
        return answer

    def end(self) -> None:
        """Close its input, with which it ends."""
        self._process.communicate()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
