"""Files that pytest-benchmark writes (``--benchmark-json``, ``--benchmark-save``, ``--benchmark-autosave``).

A file holds the benchmarks of one session, which is one process. Durations are in seconds a call. Their values are in
it with ``--benchmark-json`` or ``--benchmark-save-data``; otherwise only quartiles and extremes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from harness.contract import Case
from harness.history.entries import Entry, Figure, History, blocks
from harness.history.machines import Machine
from harness.history.moments import read_moment
from harness.loading import MOST_WARNINGS
from harness.printable import printable
from harness.shapes import Each, Fields, Integer, Maybe, Misfit, Name, Number, Scalar, Shape, Table, Text, Truth
from harness.statistics.summaries import FEWEST_FOR_QUARTILES

LARGEST_FILE_BYTES = 128 * 2**20
"""A second of a benchmark of a microsecond is some ten megabytes."""

_NS_PER_S = 1e9
_UNKNOWN_COMMITS = ("", "unknown", "unversioned")
_DURATION = Number(negative=False, physical=True)
_STATS = Fields(
    required={"median": _DURATION},
    optional={"q1": _DURATION, "q3": _DURATION, "rounds": Integer(1), "data": Each(_DURATION, most=20_000_000)},
)
_OURS = Fields(required={"suite": Name(), "implementation": Name(), "case": Table(Scalar()), "dtype": Name()})
_CPU = Fields(optional={"brand_raw": Text(), "brand": Text(), "count": Integer(1, 2**20)})
_HEAD = Fields(
    optional={
        "machine_info": Fields(optional={"machine": Text(), "cpu": _CPU}),
        "commit_info": Fields(optional={"id": Text(), "time": Maybe(Text()), "dirty": Truth()}),
        "datetime": Text(),
    }
)  # fmt: skip


class _Unread:
    """Any value, which something else reads later."""

    def read(self, value: Any) -> Any:
        return value


_UNREAD: Shape = _Unread()
_FILE = Fields(required={"benchmarks": Each(_UNREAD, most=1_000_000)})
_BENCHMARK = Fields(required={"fullname": Name(), "stats": _STATS}, optional={"param": _UNREAD, "extra_info": _UNREAD})


def is_pytest_benchmark(document: Any) -> bool:
    """Whether a JSON value is meant to be such a file."""
    return isinstance(document, Mapping) and "benchmarks" in document and "machine_info" in document


def read_pytest_benchmark(document: Mapping[str, Any], source: str) -> History:
    """The entries of a session; a benchmark that does not fit becomes a warning, the rest still loads.

    :raises Misfit: the file as a whole is none.
    """
    benchmarks = _FILE.read(document)["benchmarks"]
    head, misfits = _HEAD.salvage({name: document[name] for name in _HEAD.optional if name in document})
    warnings = [f"{misfit}; left out" for misfit in misfits]
    commit_info = head.get("commit_info", {})
    measured_at = read_moment(head.get("datetime"))
    entries: list[Entry] = []
    for number, benchmark in enumerate(benchmarks):
        try:
            entries.append(read_benchmark(benchmark, measured_at))
        except Misfit as misfit:
            warnings.append(f"benchmarks[{number}]: {misfit}; left out")
    if len(warnings) > MOST_WARNINGS:
        warnings[MOST_WARNINGS:] = [f"{len(warnings) - MOST_WARNINGS} more parts could not be read"]
    commit = commit_info.get("id", "")
    return History(
        source=source,
        tool="pytest-benchmark",
        machine=machine_of(head.get("machine_info", {})),
        entries=tuple(entries),
        commit="" if commit in _UNKNOWN_COMMITS else commit,
        committed_at=read_moment(commit_info.get("time")),
        modified=commit_info.get("dirty", False),
        measured_at=measured_at,
        warnings=tuple(printable(warning, 500) for warning in warnings),
    )


def read_benchmark(benchmark: Any, measured_at: datetime | None = None) -> Entry:
    """One benchmark of a session.

    :raises Misfit: it is none.
    """
    found = _BENCHMARK.read(benchmark)
    stats = found["stats"]
    entry = Entry(**_identity(found), instrument="time", unit="ns", measured_at=measured_at)
    if min((stats["median"], *stats.get("data", ()))) > 0:
        return replace(entry, figure=_figure(stats))
    return replace(entry, status="failed", reason="the timer showed no time at all")


def machine_of(info: Mapping[str, Any]) -> Machine:
    """The machine by pytest-benchmark's ``machine_info``, without the name of the host."""
    cpu = info.get("cpu", {})
    return Machine(cpu.get("brand_raw") or cpu.get("brand", ""), cpu.get("count"), info.get("machine", ""))


def session_machine(info: Any) -> Machine:
    """The same from a session's own information, of which any hook may have made anything."""
    head, _ = _HEAD.salvage({"machine_info": info})
    found = head.get("machine_info", {})
    return machine_of(found) if isinstance(found, Mapping) else Machine()


def _identity(found: Mapping[str, Any]) -> dict[str, Any]:
    """Suite, implementation and case where the benchmark is made from a suite; its own name otherwise."""
    try:
        ours = _OURS.read(found.get("extra_info"))
    except Misfit:
        param = found.get("param")
        name = found["fullname"]
        case = printable(param, 250) if isinstance(param, str) else ""
        return {"suite": "", "implementation": name.removesuffix(f"[{case}]"), "case": case}
    return {**ours, "case": Case.of(ours["case"]).label, "threads": 1}


def _figure(stats: Mapping[str, Any]) -> Figure:
    median_ns = stats["median"] * _NS_PER_S
    data = stats.get("data")
    if data:
        return Figure(
            median_ns, blocks([value * _NS_PER_S for value in data]), count=len(data),
            rests_on=f"{len(data)} rounds of one process",
        )  # fmt: skip
    lower, upper, rounds = stats.get("q1"), stats.get("q3"), stats.get("rounds", 1)
    if lower is None or upper is None or rounds == 1:
        return Figure(median_ns, count=rounds)
    few = "" if rounds >= FEWEST_FOR_QUARTILES else ", which are too few"
    return Figure(
        median_ns, quartiles=(lower * _NS_PER_S, upper * _NS_PER_S), count=rounds,
        rests_on=f"quartiles of {rounds} rounds of one process{few}",
        caution="from one process: how processes differ is not in the interval",
    )  # fmt: skip
