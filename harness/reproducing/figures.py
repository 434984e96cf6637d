"""The figures of two runs of the same request, one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.comparing import DEFAULT_THRESHOLD, decide
from harness.contract import TOTAL, Suite
from harness.loading import Run
from harness.records import Record
from harness.statistics import Estimate
from harness.statistics.estimates import FEWEST_ROUNDS
from harness.statistics.summaries import ratio_of_estimates
from harness.tables import tidy_table

Outcome = Literal["identical", "same", "different", "undecided", "missing"]
OUTCOMES: tuple[Outcome, ...] = ("identical", "same", "undecided", "different", "missing")
Kind = Literal["status", "error", "probe", "ratio"]
KINDS: Mapping[Kind, str] = {
    "status": "outcomes of trials",
    "error": "errors against the reference",
    "probe": "counts and scores",
    "ratio": "costs over the baseline's",
}
_KEYS = ("suite", "implementation", "case", "device", "dtype", "threads", "instrument", "probe", "until", "phase")


@dataclass(frozen=True)
class Figure:
    """One figure of both runs.

    ``identical`` is to the last digit. ``same``: the whole interval of new over old lies within the threshold, or both
    errors are within what the suite allows. ``different``: the whole interval lies beyond it, the intervals of two
    scores do not meet, or a status changed. ``undecided``: nothing contradicts, and nothing shows sameness.
    ``missing``: one of the runs does not have it. A ratio from fewer than :data:`FEWEST_ROUNDS` processes in either run
    is undecided: what differs from process to process is not in its interval.

    :param name: ``suite/implementation``, the case and what was measured.
    :param old: as shown; empty where it is missing.
    :param factor: new over old, of a ratio; else NaN.
    """

    kind: Kind
    name: str
    outcome: Outcome
    old: str
    new: str
    factor: float = math.nan


def compare_figures(
    old: Run, new: Run, suites: Mapping[str, Suite], threshold: float = DEFAULT_THRESHOLD
) -> list[Figure]:
    """Every figure that does not hang on how quick the machine is.

    Absolute costs are left to :func:`harness.history.comparing.compare_histories`, which refuses two machines. Here
    costs count as ratios to the baseline of the same run; the intervals of new over old hold all together.
    """
    ratios = len(
        {(replace(record.trial, round=0, seed=0), phase) for record in new.records for phase in _phases(record)}
    )
    # twice as many, since the intervals of both runs have to hold
    rows_of_old, rows_of_new = (_rows(run, suites, 2 * ratios) for run in (old, new))
    found: list[Figure] = []
    for key in dict.fromkeys([*rows_of_old, *rows_of_new]):
        found += _figures(_name(key), rows_of_old.get(key, {}), rows_of_new.get(key, {}), threshold)
    return found


def _phases(record: Record) -> set[str]:
    return {TOTAL, *(name for sample in record.measured for name in sample.values)}


def _rows(run: Run, suites: Mapping[str, Suite], comparisons: int) -> dict[tuple[Any, ...], dict[str, Any]]:
    table = tidy_table(run.records, suites, run.environment, comparisons)
    rows: list[dict[str, Any]] = [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]
    return {tuple(row[key] for key in _KEYS): row for row in rows}


def _name(key: tuple[Any, ...]) -> str:
    suite, implementation, case, device, dtype, threads, instrument, probe, until, phase = key
    what = probe or instrument
    setting = f"{dtype} {device} {threads} thread{'s' if threads != 1 else ''}"
    parts = (f"{suite}/{implementation or probe}", case, setting, what, until and f"until {until}", phase)
    return " ".join(str(part) for part in parts if part)


def _figures(name: str, old: Mapping[str, Any], new: Mapping[str, Any], threshold: float) -> Iterator[Figure]:
    if not (old and new):
        row = old or new
        shown = str(row["status"])
        yield Figure("status", name, "missing", shown if old else "", shown if new else "")
        return
    same = old["status"] == new["status"]
    yield Figure("status", name, "identical" if same else "different", _status(old), _status(new))
    if not same or new["status"] != "ok":
        return
    if new["instrument"] == "probe":
        yield Figure("probe", name, _scores(old, new), _shown(old, "estimate"), _shown(new, "estimate"))
        return
    if not (math.isnan(old["error"]) or math.isnan(new["error"])):
        within: Outcome = "identical" if old["error"] == new["error"] else "same"
        yield Figure("error", name, within, f"{old['error']:.3g}", f"{new['error']:.3g}")
    if _has_ratio(old) and _has_ratio(new) and not old["ratio"] == new["ratio"] == 1:
        outcome, factor = _ratios(old, new, threshold), new["ratio"] / old["ratio"]
        yield Figure("ratio", name, outcome, _shown(old, "ratio"), _shown(new, "ratio"), factor)


def _status(row: Mapping[str, Any]) -> str:
    return f"{row['status']}: {row['reason']}" if row["status"] != "ok" else "ok"


def _has_ratio(row: Mapping[str, Any]) -> bool:
    return bool(row) and row["status"] == "ok" and not math.isnan(row["ratio"])


def _scores(old: Mapping[str, Any], new: Mapping[str, Any]) -> Outcome:
    first, second = (Estimate(row["estimate"], row["low"], row["high"]) for row in (old, new))
    if first.value == second.value:
        return "identical"
    if not (first.has_interval and second.has_interval):
        return "different" if first.low == first.high or second.low == second.high else "undecided"
    return "undecided" if first.low <= second.high and second.low <= first.high else "different"


def _ratios(old: Mapping[str, Any], new: Mapping[str, Any], threshold: float) -> Outcome:
    if min(old["rounds"], new["rounds"]) < FEWEST_ROUNDS:
        return "undecided"
    first, second = (Estimate(row["ratio"], row["ratio_low"], row["ratio_high"]) for row in (old, new))
    try:
        change = decide(ratio_of_estimates(second, first), threshold)
    except ValueError:
        return "undecided"
    return "different" if change == "slower" or change == "faster" else change


def _shown(row: Mapping[str, Any], name: str) -> str:
    low, high = (row["low"], row["high"]) if name == "estimate" else (row["ratio_low"], row["ratio_high"])
    if math.isnan(low) or low == high:
        return f"{row[name]:.4g}"
    return f"{row[name]:.4g} ({low:.4g} to {high:.4g})"
