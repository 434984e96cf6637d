"""Leader boards: the contestants of one workload, cheapest first, and those without a figure with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.contract import TOTAL
from harness.discovery.listing import is_limit
from harness.notices import TEXTS, notices_of
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


@dataclass(frozen=True)
class LeaderBoard:
    """The board of one workload; a column without any figure gives way to a note that says why.

    :param label: the workload.
    :param cautions: what weakens the intervals of time, by contestant.
    :param shared_caution: what weakens all of them alike.
    """

    label: str
    is_headline: bool
    leaders: tuple[Leader, ...]
    has_phases: bool
    has_energy: bool
    has_ratio: bool
    has_memory: bool
    has_nearest: bool
    notes: tuple[str, ...]
    cautions: tuple[tuple[str, str], ...]
    shared_caution: str


def make_board(measures: Measures, workload: Workload) -> LeaderBoard:
    """Everyone who was meant to take part in ``workload``: by median time, then those without one by name.

    Who is there for other workloads only has no row but a share in a note.
    """
    elsewhere = _elsewhere(measures, workload)
    names = [name for name in measures.contestants if measures.reading(workload, name, "time")]
    names = [name for name in names if name not in elsewhere]
    names.sort(key=lambda name: (_time(measures, workload, name), name))
    leaders, no_intervals = _said_once(
        [_leader(measures, workload, name, place) for place, name in enumerate(names, start=1)]
    )
    timed = [leader for leader in leaders if leader.place]
    has_ratio = any(leader.ratio.value != text.DASH for leader in timed)
    has_memory = any(leader.memory.value != text.DASH for leader in timed)
    has_nearest = any(leader.nearest.value != text.DASH for leader in timed)
    lacking = {
        "No ratio to the baseline": "" if has_ratio else next((leader.ratio.why for leader in timed), ""),
        "No peak memory": "" if has_memory else next((leader.memory.why for leader in timed), ""),
        "No share of a ceiling": "" if has_nearest else next((leader.nearest.why for leader in timed), ""),
    }
    cautions, shared = _cautions({leader.name: measures.reading(workload, leader.name, "time") for leader in timed})
    flags = dict.fromkeys(flag for leader in leaders for flag in leader.flags)
    explained = [f"{_spelt(flag)}: {TEXTS[flag]}." for flag in flags if flag in TEXTS]
    return LeaderBoard(
        label=workload.label(measures.fixed),
        is_headline=workload == measures.headline,
        leaders=tuple(leaders),
        has_phases=any(leader.phases for leader in leaders),
        has_energy=any(leader.energy.value != text.DASH for leader in leaders),
        has_ratio=has_ratio,
        has_memory=has_memory,
        has_nearest=has_nearest,
        notes=(
            *no_intervals,
            *(f"{what}: {why}." for what, why in lacking.items() if why),
            *explained,
            *_beyond(timed),
            *_not_here(elsewhere),
        ),
        cautions=cautions,
        shared_caution=shared,
    )


def _beyond(leaders: Sequence[Leader]) -> tuple[str, ...]:
    """Why a share may exceed its ceiling."""
    over = [leader.nearest for leader in leaders if leader.nearest.raw and leader.nearest.raw > 1]
    if not any(figure.detail.endswith(MEMORY_TRAFFIC) for figure in over):
        return ()
    return (f"More than 100 % of {MEMORY_TRAFFIC}: the data stay in a cache, the ceiling is the memory's.",)


def _elsewhere(measures: Measures, workload: Workload) -> Mapping[str, str]:
    """Who is meant for other workloads only, with which."""
    readings = {name: measures.reading(workload, name, "time") for name in measures.contestants}
    return {name: reading.reason for name, reading in readings.items() if reading and is_limit(reading.reason)}


def _not_here(elsewhere: Mapping[str, str]) -> tuple[str, ...]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in elsewhere.items():
        by_reason.setdefault(reason, []).append(name)
    groups = (f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    return (f"Not in this workload: {'; '.join(groups)}.",) if elsewhere else ()


def _said_once(leaders: Sequence[Leader]) -> tuple[Sequence[Leader], Sequence[str]]:
    """What every peak memory would say beside its figure becomes a note."""
    shown = [leader.memory for leader in leaders if leader.memory.value != text.DASH]
    if len(shown) < 2 or any(figure.detail != text.NO_INTERVAL for figure in shown):
        return leaders, ()
    plain = [
        replace(
            leader,
            memory=replace(leader.memory, detail=""),
            memory_ratio=replace(leader.memory_ratio, detail=leader.memory_ratio.detail.replace(text.NO_INTERVAL, "")),
        )
        for leader in leaders
    ]
    return plain, ("Peak memory: too few processes for an interval.",)


def _time(measures: Measures, workload: Workload, name: str) -> float:
    median = measures.median(workload, name, "time")
    return math.inf if median is None else median


def _leader(measures: Measures, workload: Workload, name: str, place: int) -> Leader:
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


def _spelt(flag: str) -> str:
    return flag.replace("_", " ")


def _cautions(readings: Mapping[str, Reading | None]) -> tuple[tuple[tuple[str, str], ...], str]:
    """By contestant what weakens its interval beyond what weakens all, and the latter."""
    clauses = {name: reading.caution.split("; ") for name, reading in readings.items() if reading and reading.caution}
    if not clauses:
        return (), ""
    everywhere = set.intersection(*map(set, clauses.values())) if len(clauses) == len(readings) else set()
    own = {name: "; ".join(clause for clause in each if clause not in everywhere) for name, each in clauses.items()}
    shared = "; ".join(clause for clause in next(iter(clauses.values())) if clause in everywhere)
    return tuple((name, caution) for name, caution in own.items() if caution), shared


def ranked(measures: Measures, workload: Workload, instrument: str, phase: str = TOTAL) -> Sequence[str]:
    """The contestants that have a figure, cheapest first."""
    costs = {
        name: cost
        for name in measures.contestants
        if (cost := measures.median(workload, name, instrument, phase)) is not None
    }
    return sorted(costs, key=lambda name: (costs[name], name))
