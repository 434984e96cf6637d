"""Leader boards: the contestants of one workload, cheapest first, and those without a figure with the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.contract import TOTAL
from harness.discovery.listing import is_limit
from harness.notices import TEXTS
from harness.reporting import text
from harness.reporting.leader import MEMORY_TRAFFIC, Leader, make_leader
from harness.reporting.measures import Measures, Reading, Workload


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
        [make_leader(measures, workload, name, place) for place, name in enumerate(names, start=1)]
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
