"""Tasks over joblib's workers, as many as the trial may use threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import joblib

from harness.contract import thread_count


def over_processes(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """In processes that are kept for the next call; tasks and results are pickled."""
    return _over("loky", tasks)


def over_threads(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """In threads of this process, which help as far as members compute without the interpreter's lock."""
    return _over("threading", tasks)


def _over(backend: str, tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    workers = min(thread_count(), len(tasks))
    if workers <= 1:
        return [task() for task in tasks]
    return list(joblib.Parallel(n_jobs=workers, backend=backend)(joblib.delayed(_call)(task) for task in tasks))


def _call(task: Callable[[], Any]) -> Any:
    return task()
