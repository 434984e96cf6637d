"""Stored runs of this program as entries of a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.contract import TOTAL
from harness.history.entries import Entry, Figure, History
from harness.history.machines import Machine
from harness.history.moments import read_moment
from harness.loading import Run
from harness.notices import below_floor, floor_ns
from harness.records import Record
from harness.statistics import median_estimate
from harness.tables import UNITS, observe, worst_of


def read_run(run: Run, source: str) -> History:
    """Time, peak memory and energy of whole calls; a contestant with any wrong or failed round has no figure."""
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in run.records:
        trial = record.trial
        if trial.instrument in UNITS and not trial.until:
            groups.setdefault((*trial.workload, trial.implementation, trial.instrument), []).append(record)
    git = run.environment.get("git", {})
    started_at = read_moment(run.environment.get("started_at", ""))
    return History(
        source=source,
        tool="bakeoff",
        machine=machine_of(run.environment),
        entries=tuple(replace(_entry(group), measured_at=started_at) for group in groups.values()),
        commit=git.get("commit", ""),
        modified=git.get("modified", False),
        measured_at=started_at,
        warnings=run.warnings,
    )


def machine_of(environment: Mapping[str, Any]) -> Machine:
    machine = environment.get("machine", {})
    return Machine(machine.get("cpu", ""), machine.get("cpus"), machine.get("architecture", ""))


def _entry(group: Sequence[Record]) -> Entry:
    worst = worst_of(group)
    trial = worst.trial
    entry = Entry(
        suite=trial.suite,
        implementation=trial.implementation,
        case=trial.case.label,
        instrument=trial.instrument,
        unit=UNITS[trial.instrument],
        device=trial.device,
        dtype=trial.dtype,
        threads=trial.threads,
    )
    if worst.status != "ok":
        reason = worst.reason or worst.status
        return replace(entry, status="unavailable" if worst.status == "unavailable" else "failed", reason=reason)
    observations = observe(group, TOTAL)
    if not observations:
        return replace(entry, status="failed", reason="no samples")
    value = median_estimate(observations).value
    floor = floor_ns(group) if trial.instrument == "time" else 0.0
    if value < floor:
        return replace(entry, status="failed", reason=below_floor(floor))
    rounds = len({number for number, _ in observations})
    processes = "one process" if rounds == 1 else f"{rounds} processes"
    rests_on = f"{len(observations)} blocks of {processes}"
    return replace(entry, figure=Figure(value, observations, count=len(observations), rests_on=rests_on))
