"""The history as one tidy table."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd

from harness.history.entries import Entry, History

COLUMNS = (
    "commit", "date", "machine", "suite", "implementation", "case", "instrument", "value", "low", "high", "unit",
    "source", "tool", "status", "reason", "device", "dtype", "threads", "rests_on", "caution", "modified",
    "measured_at", "asv_machine",
)  # fmt: skip


class NothingSelected(Exception):
    """A selection matches nothing; the message names the nearest that would."""


def history_table(histories: Iterable[History]) -> pd.DataFrame:
    """One row per commit and benchmark, oldest commits first, see :data:`COLUMNS`.

    ``date`` is the commit's where it is known, otherwise that of the measurement; ``value``, ``low`` and ``high`` are
    empty where nothing was measured or no interval can be stood by, never 0. Intervals are of 95 %.
    """
    table = pd.DataFrame([row for history in histories for row in _rows(history)], columns=list(COLUMNS))
    order = ["date", "commit", "tool", "source", "suite", "implementation", "case", "instrument"]
    return table.sort_values(order, kind="stable").reset_index(drop=True)


def select(histories: Iterable[History], selections: Sequence[str]) -> tuple[History, ...]:
    """The entries that the selections name: ``suite``, ``suite/implementation``, a benchmark's own name, or a glob.

    :raises NothingSelected: one of them matches nothing.
    """
    histories = tuple(histories)
    names = {(entry.suite, entry.implementation) for history in histories for entry in history.entries}
    chosen: set[tuple[str, str]] = set(names) if not selections else set()
    for selection in selections:
        matched = {name for name in names if _matches(selection, *name)}
        if not matched:
            known = sorted({suite for suite, _ in names if suite} | {"/".join(filter(None, name)) for name in names})
            near = difflib.get_close_matches(selection, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known[:10]) or 'none'}"
            raise NothingSelected(f"nothing in the history matches {selection!r}; {hint}")
        chosen |= matched
    return tuple(
        replace(history, entries=tuple(e for e in history.entries if (e.suite, e.implementation) in chosen))
        for history in histories
    )


def _matches(selection: str, suite: str, implementation: str) -> bool:
    if not suite:
        return fnmatchcase(implementation, selection)
    suite_pattern, slash, pattern = selection.partition("/")
    return fnmatchcase(suite, suite_pattern) and (not slash or fnmatchcase(implementation, pattern))


def _rows(history: History) -> Iterator[dict[str, Any]]:
    for entry in history.entries:
        moment = history.committed_at or entry.measured_at or history.measured_at
        yield {
            "commit": history.commit,
            "date": _text(moment),
            "machine": history.machine.kind,
            "suite": entry.suite,
            "implementation": entry.implementation,
            "case": entry.case,
            "instrument": entry.instrument,
            "unit": entry.unit,
            "source": history.source,
            "tool": history.tool,
            "status": entry.status,
            "reason": entry.reason,
            "device": entry.device,
            "dtype": entry.dtype,
            "threads": math.nan if entry.threads is None else entry.threads,
            "modified": history.modified,
            "measured_at": _text(entry.measured_at or history.measured_at),
            "asv_machine": history.machine.alias,
            **_figures(entry),
        }


def _figures(entry: Entry) -> dict[str, Any]:
    if entry.figure is None:
        return {"rests_on": "", "caution": ""}
    estimate = entry.figure.estimate()
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "rests_on": entry.figure.rests_on,
        "caution": estimate.caution,
    }


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds")
