"""Results of asv, in the two formats that it has had (``asv.results.Results.api_version`` 1 and 2).

A result file holds the medians of one commit in one environment, by benchmark and combination of parameters, with
quartiles and, if asv was asked to ``--record-samples``, the values themselves. A null is a failure, a NaN a benchmark
that asv was told to skip. Units stand in ``benchmarks.json`` in the folder above.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.history.asv_shapes import BENCHMARK, HEAD, RESULT_1, RESULTS_1, RESULTS_2, ROW, STATS_1
from harness.history.entries import Entry, EntryStatus, Figure, History, blocks
from harness.history.machines import Machine
from harness.json_files import NotJson, read_document
from harness.loading import MOST_WARNINGS
from harness.printable import printable
from harness.shapes import Misfit, Name
from harness.statistics.summaries import FEWEST_FOR_QUARTILES

RESULTS_VERSIONS = (1, 2)
BENCHMARKS_FILE = "benchmarks.json"
MOST_COMBINATIONS = 100_000

# What harness/adapters/asv_suites generates: the module, the suite's class and one of its two methods.
_OURS = re.compile(r"suites\.(?P<suite>\w+)\.(?P<method>time_call|track_peak_bytes)")
_METHODS = {"time_call": ("time", "ns"), "track_peak_bytes": ("memory", "bytes")}
_TEXT = re.compile(r"'([^'\\]*)'")
# asv's benchmark types by the prefix of the last part of the name, and their units.
_TYPE = re.compile(r"(?:^|\.)(?P<type>timeraw|time|peakmem|mem|track)_?[^.]*$", re.IGNORECASE)
_UNITS = {"time": "ns", "timeraw": "ns", "mem": "bytes", "peakmem": "bytes"}
_BY_COMBINATION = ("result", "samples", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25", "stats_q_75", "stats_repeat")
_SECONDS = ("", "s", "second", "seconds")
_NS_PER_S = 1e9


def is_asv(document: Any) -> bool:
    """Whether a JSON value is meant to be a result file of asv."""
    return isinstance(document, Mapping) and {"commit_hash", "results"} <= set(document)


def read_asv(document: Mapping[str, Any], source: str, units: Mapping[str, str]) -> History:
    """The entries of a result file; a benchmark that does not fit becomes a warning, the rest still loads.

    :param units: by benchmark, see :func:`read_units`.
    :raises Misfit: the file as a whole is no result file that this program reads.
    """
    version = document.get("version")
    if version not in RESULTS_VERSIONS or isinstance(version, bool):
        raise Misfit(f"is none of asv's formats {' and '.join(map(str, RESULTS_VERSIONS))}", ".version")
    head = HEAD.read(document)
    entries: list[Entry] = []
    warnings: list[str] = []
    for name, columns in _columns_1(document) if version == 1 else _columns_2(document):
        try:
            if isinstance(columns, Misfit):
                raise columns
            entries += _entries(name, ROW.read(columns), units.get(name))
        except Misfit as misfit:
            warnings.append(f"results.{printable(name, 60)}: {misfit}; left out")
    if len(warnings) > MOST_WARNINGS:
        warnings[MOST_WARNINGS:] = [f"{len(warnings) - MOST_WARNINGS} more benchmarks could not be read"]
    params = head["params"]
    return History(
        source=source,
        tool="asv",
        machine=Machine(
            params.get("cpu", ""), params.get("num_cpu"), params.get("arch", ""), params.get("machine", "")
        ),
        entries=tuple(entries),
        commit=head["commit_hash"],
        committed_at=_moment(head.get("date")),
        measured_at=max((entry.measured_at for entry in entries if entry.measured_at), default=None),
        warnings=tuple(printable(warning, 500) for warning in warnings),
    )


def read_units(folder: Path) -> dict[str, str]:
    """Units by benchmark from the ``benchmarks.json`` that lies in ``folder``; none where there is no good one."""
    try:
        document = read_document(folder / BENCHMARKS_FILE)
    except (OSError, NotJson):
        return {}
    if not isinstance(document, Mapping):
        return {}
    found = {}
    for name, benchmark in document.items():
        try:
            found[Name().read(name)] = BENCHMARK.read(benchmark)["unit"]
        except Misfit:  # such as the file's own version
            continue
    return found


def _columns_2(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """By benchmark what its columns hold."""
    whole = RESULTS_2.read(document)
    for name, cells in whole["results"].items():
        yield name, dict(zip(whole["result_columns"], cells, strict=False))


def _columns_1(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | Misfit]]:
    """The same from objects, or bare values, by benchmark (as ``asv.results.Results.update_to_2`` does)."""
    whole = RESULTS_1.read(document)
    for name, value in whole["results"].items():
        try:
            yield (
                name,
                {
                    **_result_1(value),
                    "started_at": whole.get("started_at", {}).get(name),
                    "version": whole.get("benchmark_version", {}).get(name),
                },
            )
        except Misfit as misfit:
            yield name, misfit


def _result_1(value: Any) -> dict[str, Any]:
    found = RESULT_1.read(value if isinstance(value, Mapping) else {"result": value})
    stats = [{} if each is None else STATS_1.read(each) for each in found.pop("stats", None) or ()]
    if stats:
        found["stats_ci_99_a"] = [each.get("ci_99", (None,))[0] for each in stats]
        found["stats_ci_99_b"] = [each.get("ci_99", (None,))[-1] for each in stats]
        for key in ("q_25", "q_75", "repeat"):
            found[f"stats_{key}"] = [each.get(key) for each in stats]
    return found


def _entries(name: str, row: Mapping[str, Any], unit: str | None) -> Iterator[Entry]:
    params = row.get("params") or ()
    count = math.prod(len(values) for values in params)
    if count > MOST_COMBINATIONS:
        raise Misfit(f"has {count} combinations of parameters, must have at most {MOST_COMBINATIONS}")
    columns = {key: values for key, values in row.items() if key in _BY_COMBINATION and values is not None}
    if all(value is None for value in columns.get("result", ())):
        columns = {}
    for key, values in columns.items():
        if len(values) != count:
            raise Misfit(f"has {len(values)} values for {count} combinations of parameters", f".{key}")
    for index, combination in enumerate(itertools.product(*params)):
        cells = {key: values[index] for key, values in columns.items()}
        status, reason, figure = _figure(cells)
        yield Entry(
            **_identity(name, combination, unit),
            status=status,
            reason=reason,
            figure=_in_unit(figure, name, unit),
            version=row.get("version") or "",
            measured_at=_moment(row.get("started_at")),
        )


def _identity(name: str, combination: Sequence[str], unit: str | None) -> dict[str, Any]:
    """What was measured; benchmarks that are not ours keep the names that asv shows."""
    ours, texts = _OURS.fullmatch(name), [_TEXT.fullmatch(value) for value in combination]
    if ours and len(texts) == 2 and texts[0] and texts[1]:
        instrument, own_unit = _METHODS[ours["method"]]
        return {
            "suite": ours["suite"], "implementation": texts[0][1], "case": texts[1][1],
            "instrument": instrument, "unit": own_unit, "threads": 1,
        }  # fmt: skip
    kind = _type_of(name)
    instrument = "time" if kind == "timeraw" else kind
    if _scale(name, unit) != 1.0:
        unit = "ns"
    return {
        "suite": "", "implementation": name, "case": ", ".join(combination),
        "instrument": instrument, "unit": unit or _UNITS.get(kind, ""),
    }  # fmt: skip


def _figure(cells: Mapping[str, Any]) -> tuple[EntryStatus, str, Figure | None]:
    value = cells.get("result")
    if value is None:
        return "failed", "asv stored no result: the benchmark failed or ran out of time", None
    if math.isnan(value):
        return "unavailable", "asv skipped it", None
    if math.isinf(value):
        return "failed", "the stored result is infinite", None
    samples = [each for each in cells.get("samples") or () if math.isfinite(each)]
    if samples:
        rests_on = f"{len(samples)} samples"
        caution = "asv does not store which process a sample is from"
        return "ok", "", Figure(value, blocks(samples), count=len(samples), rests_on=rests_on, caution=caution)
    lower, upper, count = (cells.get(f"stats_{key}") for key in ("q_25", "q_75", "repeat"))
    if lower is None or upper is None or not count or not math.isfinite(lower + upper):
        return "ok", "", Figure(value)
    few = "" if count >= FEWEST_FOR_QUARTILES else ", which are too few"
    figure = Figure(
        value,
        quartiles=(lower, upper),
        count=int(count),
        bounds=_bounds(cells.get("stats_ci_99_a"), cells.get("stats_ci_99_b")),
        rests_on=f"quartiles of {int(count)} samples{few}" if count > 1 else "a single value",
    )
    return "ok", "", figure


def _bounds(low: float | None, high: float | None) -> tuple[float, float] | None:
    """asv's own interval, where it is one: with few samples its ends are infinite."""
    if low is None or high is None or not math.isfinite(low + high) or not 0 < low <= high:
        return None
    return low, high


def _in_unit(figure: Figure | None, name: str, unit: str | None) -> Figure | None:
    factor = _scale(name, unit)
    if figure is None or factor == 1.0:
        return figure
    return Figure(
        value=figure.value * factor,
        observations={key: value * factor for key, value in figure.observations.items()},
        quartiles=None if figure.quartiles is None else _scaled(figure.quartiles, factor),
        count=figure.count,
        bounds=None if figure.bounds is None else _scaled(figure.bounds, factor),
        rests_on=figure.rests_on,
        caution=figure.caution,
    )


def _scaled(pair: tuple[float, float], factor: float) -> tuple[float, float]:
    return pair[0] * factor, pair[1] * factor


def _scale(name: str, unit: str | None) -> float:
    """Times are in seconds in asv's files and in nanoseconds here."""
    return _NS_PER_S if _type_of(name) in ("time", "timeraw") and (unit or "") in _SECONDS else 1.0


def _type_of(name: str) -> str:
    found = _TYPE.search(name)
    return found["type"].lower() if found else "track"


def _moment(milliseconds: float | None) -> datetime | None:
    """A JavaScript timestamp; a shape has checked its range."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
