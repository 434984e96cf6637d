"""The runs that were stored on the same machine before a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.history.entries import History
from harness.history.machines import why_not_the_same
from harness.history.runs import machine_of, read_run
from harness.loading import Run, find_runs, load_run
from harness.store import RECORDS_FILE, StoreError

MOST_RUNS = 20
MOST_BYTES = 64_000_000
"""Of records that are read for it in all: a history must not take longer than the page that it is on."""


def earlier_runs(run: Run, results: Path) -> tuple[History, ...]:
    """Runs under ``results`` of the machine of ``run`` and from before it, oldest first; the newest where many are.

    A run that cannot be read is passed over: it is told of where it is asked for.
    """
    began = str(run.environment.get("started_at", ""))
    machine = machine_of(run.environment)
    found: list[History] = []
    for other in _newest_first(run, results):
        try:
            loaded = load_run(other)
        except StoreError:
            continue
        if str(loaded.environment.get("started_at", "")) < began and not why_not_the_same(
            machine, machine_of(loaded.environment)
        ):
            found.append(read_run(loaded, loaded.name))
        if len(found) == MOST_RUNS:
            break
    return tuple(reversed(found))


def _newest_first(run: Run, results: Path) -> Iterator[Path]:
    """The folders of other runs of the machine, until :data:`MOST_BYTES` are reached."""
    own = run.path.resolve()
    size = 0
    for path in sorted(find_runs(results), key=lambda path: path.name, reverse=True):
        records = path / RECORDS_FILE
        if path.parent.name != run.path.parent.name or path.resolve() == own or not records.is_file():
            continue
        size += records.stat().st_size
        if size > MOST_BYTES:
            return
        yield path
