"""One contestant in one workload: what a row of a leader board says, and why a cell is empty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.notices import notices_of
from harness.reporting import text
from harness.reporting.measures import Measures, Reading, Workload
from harness.statistics import Estimate

MEMORY_TRAFFIC = "memory traffic"


@dataclass(frozen=True)
class Figure:
    """One cell of a board; ``why`` says why there is none.

    :param value: as it is shown, a dash where nothing was measured.
    :param detail: its interval or what else belongs to it.
    :param raw: what it is sorted by.
    """

    value: str
    detail: str = ""
    why: str = ""
    raw: float | None = None


@dataclass(frozen=True)
class PhaseShare:
    """One phase of a contestant's call; ``percent`` is of the phases' sum."""

    name: str
    time: Figure
    percent: float


@dataclass(frozen=True)
class Leader:
    """One contestant in one workload.

    :param nearest: the ceiling it comes nearest to, with its share of it.
    """

    name: str
    place: int
    is_baseline: bool
    status: str
    reason: str
    time: Figure
    ratio: Figure
    phases: tuple[PhaseShare, ...]
    memory: Figure
    memory_ratio: Figure
    energy: Figure
    nearest: Figure
    error: Figure
    setup: Figure
    samples: int
    flags: tuple[str, ...]


def make_leader(measures: Measures, workload: Workload, name: str, place: int) -> Leader:
    """:raises ValueError: it took no part there."""
    reading = measures.reading(workload, name, "time")
    if reading is None:
        raise ValueError(f"{name} took no part in {workload.label()}")
    memory, memory_note = _memory(measures, workload, name)
    baseline = measures.suite.baseline
    is_baseline = name == baseline
    return Leader(
        name=name,
        place=place if reading.estimate else 0,
        is_baseline=is_baseline,
        status=reading.status,
        reason=reading.reason,
        time=_figure(reading, "ns"),
        ratio=_ratio(reading, measures.reading(workload, baseline, "time"), is_baseline, baseline),
        phases=_phases(measures, workload, name),
        memory=_figure(memory, "bytes", memory_note),
        memory_ratio=_ratio(memory, _memory(measures, workload, baseline)[0], is_baseline, baseline),
        energy=_figure(measures.reading(workload, name, "energy"), "J"),
        nearest=_nearest_ceiling(measures, workload, name),
        error=_error(measures, workload, name),
        setup=_setup(reading),
        samples=reading.samples,
        flags=_flags(measures, workload, name),
    )


def _figure(reading: Reading | None, unit: str, note: str = "") -> Figure:
    if reading is None:
        return Figure(text.DASH, why="not measured in this workload")
    if reading.estimate is None:
        return Figure(text.DASH, why=reading.reason or reading.status)
    details = [text.interval(reading.estimate, unit), note]
    return Figure(
        text.quantity(reading.estimate.value, unit), "; ".join(filter(None, details)), raw=reading.estimate.value
    )


def _ratio(reading: Reading | None, of_baseline: Reading | None, is_baseline: bool, baseline: str) -> Figure:
    if reading is None or reading.estimate is None:
        return Figure(text.DASH, why="no figure of its own")
    if is_baseline:
        return Figure("baseline", raw=1.0)
    if reading.ratio is None:
        return Figure(text.DASH, why=_no_ratio(reading.estimate, of_baseline, baseline))
    return Figure(text.times(reading.ratio), text.interval(reading.ratio), raw=reading.ratio.value)


def _no_ratio(own: Estimate, of_baseline: Reading | None, baseline: str) -> str:
    if of_baseline is None:
        return f"{baseline} was not measured in the same blocks"
    if of_baseline.estimate is None:
        return f"{baseline}: {of_baseline.reason or of_baseline.status}"
    if 0 in (own.value, of_baseline.estimate.value):
        return "no ratio with nothing"
    return f"{baseline} was not measured in the same blocks"


def _memory(measures: Measures, workload: Workload, name: str) -> tuple[Reading | None, str]:
    """Memory is read with one thread; with more it is that figure, and said to be."""
    own = measures.reading(workload, name, "memory")
    if own is not None or workload.threads == 1:
        return own, ""
    single = Workload(workload.case, workload.device, workload.dtype, 1, workload.until)
    return measures.reading(single, name, "memory"), "with 1 thread"


def _phases(measures: Measures, workload: Workload, name: str) -> tuple[PhaseShare, ...]:
    names = measures.phases(workload, name)
    if len(names) < 2:
        return ()
    medians = [measures.median(workload, name, "time", phase) or 0.0 for phase in names]
    total = sum(medians) or math.nan
    return tuple(
        PhaseShare(phase, _figure(measures.reading(workload, name, "time", phase), "ns"), 100 * median / total)
        for phase, median in zip(names, medians, strict=True)
    )


def _nearest_ceiling(measures: Measures, workload: Workload, name: str) -> Figure:
    shares = {
        "arithmetic": measures.share(workload, name, "matmul"),
        MEMORY_TRAFFIC: measures.share(workload, name, "copy"),
    }
    found = {ceiling: share for ceiling, share in shares.items() if share is not None}
    if not found:
        return Figure(text.DASH, why=no_share(measures, workload))
    nearest = max(found, key=lambda ceiling: found[ceiling].value)
    return Figure(text.percent(found[nearest].value), f"of {nearest}", raw=found[nearest].value)


def no_share(measures: Measures, workload: Workload) -> str:
    if measures.suite.work is None:
        return "the suite has no work model"
    if workload.until:
        return f"the work model is of the whole call, this one ends after {workload.until}"
    threads = text.count(workload.threads, "thread")
    return f"no ceiling was measured for {workload.dtype} on {workload.device} with {threads}"


def _error(measures: Measures, workload: Workload, name: str) -> Figure:
    errors = [
        (error, record.limits.get(output, math.nan))
        for record in measures.records_of(workload, name, "time")
        for output, error in record.errors.items()
    ]
    if not errors:
        return Figure(text.DASH, why="not checked")
    error, limit = max(errors, key=lambda pair: pair[0] / pair[1] if pair[1] > 0 else pair[0])
    return Figure(text.number(error), f"of {text.number(limit)}" if not math.isnan(limit) else "", raw=error)


def _setup(reading: Reading) -> Figure:
    if reading.estimate is None or math.isnan(reading.setup_ms) or reading.setup_ms <= 0:
        return Figure(text.DASH, why=reading.reason or "not recorded")
    return Figure(text.quantity(reading.setup_ms * 1e6, "ns"), raw=reading.setup_ms)


def _flags(measures: Measures, workload: Workload, name: str) -> tuple[str, ...]:
    records = [measures.records_of(workload, name, instrument) for instrument in ("time", "memory", "energy")]
    return tuple(dict.fromkeys(notice for each in records for notice in notices_of(each)))
