"""Records to tidy pandas tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.claims.evidence import share_of_ceiling
from harness.claims.observations import NotMeasured, phase_value
from harness.contract import TOTAL, Suite, Where
from harness.notices import below_floor, floor_ns, notices_of
from harness.records import Record, Status
from harness.statistics import Estimate, Observations, mean_estimate, median_estimate, paired_ratio
from harness.statistics.equivalence import simultaneous_confidence
from harness.statistics.estimates import joined
from harness.trials import Trial

COLUMNS = (
    "suite", "implementation", "case", "device", "dtype", "threads", "phase", "instrument", "status", "reason",
    "estimate", "low", "high", "unit", "ratio", "ratio_low", "ratio_high", "error", "share_of_ceiling",
    "until", "probe", "rounds", "samples", "setup_ms", "origin", "notices", "caution",
    "floor", "loop", "loop_low", "loop_high",
)  # fmt: skip

UNITS: Mapping[str, str] = {"time": "ns", "memory": "bytes", "energy": "J"}

_WORST: tuple[Status, ...] = ("crashed", "out_of_memory", "timeout", "failed", "wrong", "unavailable", "ok")


def tidy_table(
    records: Iterable[Record],
    suites: Mapping[str, Suite],
    environment: Mapping[str, Any],
    comparisons: int | None = None,
) -> pd.DataFrame:
    """One row per contestant, workload, instrument and phase (``total`` included), see :data:`COLUMNS`.

    ``ratio`` is the contestant's cost over the baseline's in the same blocks: below 1 is cheaper. The intervals of all
    ratios of one workload hold together with 95 % confidence; ``caution`` is what weakens an interval of the row. A
    contestant with any wrong or failed round has that status and no figures.

    ``floor`` is what a time must reach to be shown, and ``loop`` the empty loop that was taken out of it, where it is
    an expression of nanoseconds.

    :param comparisons: how many intervals of ratios hold together, where it is not those of a workload.
    """
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(_group(record.trial, record.trial.implementation), []).append(record)
    contestants = Counter(_group(group[0].trial, "") for group in groups.values() if _good(group))
    rows: list[dict[str, Any]] = []
    for group in groups.values():
        trial = group[0].trial
        suite = suites.get(trial.suite)
        baseline = groups.get(_group(trial, suite.baseline), []) if suite else []
        others = contestants[_group(trial, "")] - 1 if comparisons is None else comparisons
        rows += _rows(group, _Baseline(baseline, others), suite, environment)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(
        ["suite", "instrument", "case", "device", "dtype", "threads", "implementation", "phase"], kind="stable"
    ).reset_index(drop=True)


@dataclass(frozen=True)
class _Baseline:
    """What the others of a workload are compared with, and how many they are."""

    records: Sequence[Record]
    comparisons: int


def worst_of(group: Sequence[Record]) -> Record:
    """The record whose status speaks for all rounds of a contestant."""
    return min(group, key=lambda record: _WORST.index(record.status))


def _good(group: Sequence[Record]) -> bool:
    return all(record.status == "ok" for record in group)


def _group(trial: Trial, implementation: str) -> tuple[object, ...]:
    return (*trial.workload, trial.instrument, trial.probe, implementation)


def _rows(
    group: Sequence[Record], baseline: _Baseline, suite: Suite | None, environment: Mapping[str, Any]
) -> list[dict[str, Any]]:
    worst = worst_of(group)
    trial = worst.trial
    row: dict[str, Any] = {
        "suite": trial.suite,
        "implementation": trial.implementation,
        "case": trial.case.label,
        "device": trial.device,
        "dtype": trial.dtype,
        "threads": trial.threads,
        "phase": TOTAL,
        "instrument": trial.instrument,
        "status": worst.status,
        "reason": worst.reason,
        "unit": UNITS.get(trial.instrument, _probe_unit(suite, trial)),
        "error": max((error for record in group for error in record.errors.values()), default=math.nan),
        "until": trial.until,
        "probe": trial.probe,
        "rounds": len(group),
        "setup_ms": _setup_ms(group),
        "origin": worst.origin,
        "notices": ", ".join(notices_of(group)),
        "caution": "",
    }
    if worst.status != "ok":
        return [row]
    if trial.instrument == "probe":
        return [row | _figures(mean_estimate(values), "") | {"phase": name} for name, values in _probe_values(group)]
    phases = dict.fromkeys(name for record in group for sample in record.measured for name in sample.values)
    names = [*phases, TOTAL] if len(phases) > 1 else [TOTAL]
    return [row | _measured(group, baseline, phase, suite, environment) for phase in names]


def _measured(
    group: Sequence[Record], baseline: _Baseline, phase: str, suite: Suite | None, environment: Mapping[str, Any]
) -> dict[str, Any]:
    observations = observe(group, phase)
    if not observations:
        return {"phase": phase, "status": "failed", "reason": "no samples"}
    estimate = median_estimate(observations)
    floor = floor_ns(group) if group[0].trial.instrument == "time" else 0.0
    besides = {"floor": floor or math.nan} | _empty_loop(group)
    if estimate.value < floor:
        return {"phase": phase, "reason": below_floor(floor)} | besides
    cells: dict[str, Any] = {"phase": phase, "samples": len(observations), **_figures(estimate, "")} | besides
    cells["caution"] = estimate.caution
    with suppress(ValueError, NotMeasured):  # the baseline was not measured in the same blocks, or grew by nothing
        confidence = simultaneous_confidence(baseline.comparisons)
        ratio = paired_ratio(observations, observe(baseline.records, phase), confidence)
        cells |= _figures(ratio, "ratio") | {"caution": joined(estimate.caution, ratio.caution)}
    trial = group[0].trial
    if suite is not None and trial.instrument == "time" and not trial.until:
        where = Where(trial.case, trial.dtype, trial.device, trial.threads, phase)
        with suppress(NotMeasured, ZeroDivisionError):
            share = share_of_ceiling(suite, where, "matmul", estimate.scaled(1e-9), environment)
            cells["share_of_ceiling"] = share.value
    return cells


def observe(records: Iterable[Record], phase: str) -> Observations:
    """The measured values of one phase by round and block, of the samples that have it."""
    return {
        (record.trial.round, sample.block): phase_value(record, sample.values, phase)
        for record in records
        if record.status == "ok"
        for sample in record.measured
        if phase in sample.values or (phase == TOTAL and sample.values)
    }


def _empty_loop(records: Iterable[Record]) -> dict[str, float]:
    """What the loop without the expression came to, with its own interval; nothing where there was no such loop."""
    loops = {
        (record.trial.round, sample.block): sample.readings["loop_ns"]
        for record in records
        for sample in record.measured
        if "loop_ns" in sample.readings
    }
    if not loops:
        return {}
    loop = median_estimate(loops)
    return {"loop": loop.value, "loop_low": loop.low, "loop_high": loop.high}


def _figures(estimate: Estimate, prefix: str) -> dict[str, float]:
    names = ("ratio", "ratio_low", "ratio_high") if prefix else ("estimate", "low", "high")
    return dict(zip(names, (estimate.value, estimate.low, estimate.high), strict=True))


def _probe_values(group: Sequence[Record]) -> list[tuple[str, list[float]]]:
    names = dict.fromkeys(name for record in group for sample in record.measured for name in sample.values)
    return [
        (name, [sample.values[name] for record in group for sample in record.measured if name in sample.values])
        for name in names
    ]


def _probe_unit(suite: Suite | None, trial: Trial) -> str:
    return suite.probes[trial.probe].unit if suite and trial.probe in suite.probes else "1"


def _setup_ms(group: Sequence[Record]) -> float:
    """The largest time before the first measured call: import and first call with its compilation."""
    return max((sum(record.setup_ns.values()) / 1e6 for record in group), default=math.nan)
