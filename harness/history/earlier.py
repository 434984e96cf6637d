"""What was timed in the runs that were stored on the same machine before a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.history.entries import History
from harness.history.machines import why_not_the_same
from harness.history.runs import machine_of, read_run
from harness.json_files import NotJson, read_document
from harness.loading import Run, find_runs, load_run
from harness.store import ENVIRONMENT_FILE, RECORDS_FILE, StoreError

MOST_RUNS = 20
MOST_BYTES = 32_000_000
"""Of records that are read for it in all: a history must not take longer than the page that it is on."""


def earlier_runs(run: Run, results: Path) -> tuple[History, ...]:
    """The times in runs under ``results`` of the machine of ``run`` and from before it, oldest first.

    They are the newest where there are many.

    A run that cannot be read is passed over: it is told of where it is asked for.
    """
    machine = machine_of(run.environment)
    found: list[History] = []
    for path in _newest_first(run, results):
        try:
            loaded = load_run(path)
        except StoreError:
            continue
        if not why_not_the_same(machine, machine_of(loaded.environment)):
            timed = tuple(record for record in loaded.records if record.trial.instrument == "time")
            found.append(read_run(replace(loaded, records=timed), loaded.name))
        if len(found) == MOST_RUNS:
            break
    return tuple(reversed(found))


def _newest_first(run: Run, results: Path) -> Iterator[Path]:
    """The folders of the machine's runs from before, of :data:`MOST_BYTES` at most; a larger one is passed over."""
    began = str(run.environment.get("started_at", ""))
    beside = [path for path in find_runs(results) if path.parent.name == run.path.parent.name]
    times = {path: _began(path) for path in beside if (path / RECORDS_FILE).is_file()}
    size = 0
    for path in sorted(times, key=lambda path: (times[path], path.name), reverse=True):
        more = (path / RECORDS_FILE).stat().st_size
        if "" < times[path] < began and size + more <= MOST_BYTES:
            size += more
            yield path


def _began(path: Path) -> str:
    """When a run was started, empty where that cannot be read."""
    try:
        environment = read_document(path / ENVIRONMENT_FILE)
    except (OSError, NotJson):
        return ""
    return str(environment.get("started_at", "")) if isinstance(environment, dict) else ""
