"""What a run measured in one suite, found by workload and contestant."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from harness.claims.evidence import share_of_ceiling, work_of
from harness.claims.observations import NotMeasured
from harness.contract import TOTAL, Case, Suite, Where
from harness.records import Record, Status
from harness.statistics import Estimate, Observations
from harness.tables import observe
from harness.trials import Trial

Ceiling = Literal["matmul", "copy"]


@dataclass(frozen=True)
class Workload:
    """What contestants must share to be compared."""

    case: Case
    device: str
    dtype: str
    threads: int
    until: str = ""

    @classmethod
    def of(cls, trial: Trial) -> Workload:
        return cls(trial.case, trial.device, trial.dtype, trial.threads, trial.until)

    def label(self, fixed: Mapping[str, object] | None = None) -> str:
        """In one line, without the parameters that are ``fixed`` throughout the suite."""
        known = fixed or {}
        parameters = [f"{name}={value}" for name, value in self.case.parameters if known.get(name) != value]
        setting = [self.dtype, self.device, f"{self.threads} thread{'s' * (self.threads != 1)}"]
        return ", ".join([" ".join(parameters), *setting, *([f"until {self.until}"] if self.until else [])]).lstrip(
            ", "
        )


@dataclass(frozen=True)
class Reading:
    """One row of the tidy table; the figures are ``None`` where there is none, ``reason`` says why."""

    status: Status
    reason: str
    unit: str
    estimate: Estimate | None
    ratio: Estimate | None
    samples: int
    setup_ms: float
    caution: str = ""


@dataclass(frozen=True)
class Family:
    """Workloads that differ along the suite's axis only, by their place on it."""

    name: str
    by_size: Mapping[float, Workload]


@dataclass(frozen=True)
class Rates:
    """What the machine reached at best for a device, a dtype and a number of threads."""

    flops_per_s: float
    bytes_per_s: float


@dataclass(frozen=True)
class TotalWork:
    """The least work of a whole call."""

    flops: float
    bytes_moved: float


class Measures:
    """The figures of one suite in one run."""

    def __init__(
        self, suite: Suite, records: Iterable[Record], table: pd.DataFrame, environment: Mapping[str, Any]
    ) -> None:
        self.suite = suite
        self.records = tuple(record for record in records if record.trial.suite == suite.name)
        self.environment = environment
        self._readings = self._read(table[table.suite == suite.name])
        self._observed: dict[tuple[Workload, str, str], list[Record]] = {}
        for record in self.records:
            key = (Workload.of(record.trial), record.trial.implementation, record.trial.instrument)
            self._observed.setdefault(key, []).append(record)

    def _read(self, table: pd.DataFrame) -> dict[tuple[Workload, str, str, str], Reading]:
        cases = {record.trial.case.label: record.trial.case for record in self.records}
        readings = {}
        for cells in table.to_dict(orient="records"):
            row = {str(column): value for column, value in cells.items()}
            if row["instrument"] == "probe":
                continue
            workload = Workload(cases[row["case"]], row["device"], row["dtype"], int(row["threads"]), row["until"])
            readings[workload, row["implementation"], row["instrument"], row["phase"]] = _reading(row)
        return readings

    @cached_property
    def contestants(self) -> tuple[str, ...]:
        return tuple(sorted({name for _, name, _, _ in self._readings}))

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Those in which a clock was asked for, in the order of the suite's cases and then of the records."""
        order = {case: place for place, case in enumerate(self.suite.cases)}
        found = dict.fromkeys(workload for workload, _, instrument, _ in self._readings if instrument == "time")
        return tuple(sorted(found, key=lambda workload: order.get(workload.case, len(order))))

    @cached_property
    def meetings(self) -> Mapping[str, frozenset[Workload]]:
        """By contestant the workloads in which it has a time."""
        return {
            name: frozenset(each for each in self.workloads if self.median(each, name, "time") is not None)
            for name in self.contestants
        }

    @cached_property
    def fixed(self) -> Mapping[str, object]:
        """The parameters that have the same value in every workload."""
        if len(self.workloads) < 2:
            return {}
        first = dict(self.workloads[0].case)
        return {
            name: value
            for name, value in first.items()
            if all(workload.case.get(name) == value for workload in self.workloads)
        }

    @cached_property
    def headline(self) -> Workload | None:
        """Of the workloads that the baseline has the one with most contestants that were right, then the heaviest.

        Heaviest by the suite's own model of the work, which two runs agree about, else by the slowest time.
        """
        timed = [workload for workload in self.workloads if self._timed(workload)]
        return max(
            timed,
            key=lambda workload: (
                self.median(workload, self.suite.baseline, "time") is not None,
                self._timed(workload),
                not workload.until,
                *self._weight(workload),
            ),
            default=None,
        )

    def _weight(self, workload: Workload) -> tuple[float, float]:
        slowest = max(self.median(workload, name, "time") or 0.0 for name in self.contestants)
        work = self.work(workload)
        return (work.flops + work.bytes_moved if work else 0.0), slowest

    def work(self, workload: Workload) -> TotalWork | None:
        """The suite's own model of a whole call; ``None`` where it has none."""
        try:
            parts = work_of(self.suite, workload.dtype, workload.case).values()
        except NotMeasured:
            return None
        return TotalWork(sum(part.flops for part in parts), sum(part.bytes_moved for part in parts))

    def rates(self, workload: Workload) -> Rates | None:
        """The machine's ceilings in the workload's setting; ``None`` where they were not measured."""
        setting = (workload.device, workload.dtype, workload.threads)
        for found in self.environment.get("ceilings", []):
            if (found["device"], found["dtype"], found["threads"]) == setting:
                return Rates(found["matmul_flops_per_s"], found["copy_bytes_per_s"])
        return None

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The lines along the suite's axis with at least two sizes, those with most sizes and contestants first."""
        lines: dict[tuple[object, ...], dict[float, Workload]] = {}
        for workload in self.workloads:
            size = workload.case.get(self.suite.axis)
            if isinstance(size, bool) or not isinstance(size, int | float) or not size > 0:
                continue
            rest = frozenset((name, value) for name, value in workload.case.items() if name != self.suite.axis)
            setting = (rest, workload.device, workload.dtype, workload.threads, workload.until)
            lines.setdefault(setting, {})[float(size)] = workload
        families = [Family(self._family_name(line), dict(sorted(line.items()))) for line in lines.values()]
        grown = [family for family in families if len(family.by_size) > 1]
        return tuple(sorted(grown, key=lambda family: -sum(map(self._timed, family.by_size.values()))))

    def _family_name(self, line: Mapping[float, Workload]) -> str:
        example = next(iter(line.values()))
        return example.label({**self.fixed, self.suite.axis: example.case[self.suite.axis]})

    def _timed(self, workload: Workload) -> int:
        return sum(self.median(workload, name, "time") is not None for name in self.contestants)

    def reading(self, workload: Workload, name: str, instrument: str, phase: str = TOTAL) -> Reading | None:
        return self._readings.get((workload, name, instrument, phase))

    def median(self, workload: Workload, name: str, instrument: str, phase: str = TOTAL) -> float | None:
        reading = self.reading(workload, name, instrument, phase)
        return reading.estimate.value if reading and reading.estimate else None

    def phases(self, workload: Workload, name: str) -> tuple[str, ...]:
        """The phases that a contestant has, in the suite's order; empty where there is but one."""
        return tuple(phase for phase in self.suite.phases if self.reading(workload, name, "time", phase) is not None)

    def observations(self, workload: Workload, name: str, instrument: str, phase: str = TOTAL) -> Observations:
        """The measured values by round and block; none where any round of the contestant went wrong."""
        reading = self.reading(workload, name, instrument, phase)
        if reading is None or reading.estimate is None:
            return {}
        return observe(self._observed.get((workload, name, instrument), []), phase)

    def records_of(self, workload: Workload, name: str, instrument: str) -> Sequence[Record]:
        return self._observed.get((workload, name, instrument), [])

    def share(self, workload: Workload, name: str, ceiling: Ceiling) -> Estimate | None:
        """Share of a measured ceiling; ``None`` without a work model, a ceiling, a time or any such work."""
        reading = self.reading(workload, name, "time")
        if reading is None or reading.estimate is None or workload.until:
            return None
        where = Where(workload.case, workload.dtype, workload.device, workload.threads, TOTAL)
        try:
            found = share_of_ceiling(self.suite, where, ceiling, reading.estimate.scaled(1e-9), self.environment)
        except (NotMeasured, ZeroDivisionError):
            return None
        return found if found.value > 0 else None


def _reading(row: Mapping[str, Any]) -> Reading:
    return Reading(
        status=row["status"],
        reason=str(row["reason"]),
        unit=row["unit"],
        estimate=_estimate(row, "estimate", "low", "high"),
        ratio=_estimate(row, "ratio", "ratio_low", "ratio_high"),
        samples=0 if _absent(row["samples"]) else int(row["samples"]),
        setup_ms=row["setup_ms"],
        caution=row["caution"],
    )


def _estimate(row: Mapping[str, Any], value: str, low: str, high: str) -> Estimate | None:
    if _absent(row[value]):
        return None
    return Estimate(float(row[value]), float(row[low]), float(row[high]))


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
