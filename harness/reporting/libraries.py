"""The project's own best against the best of the libraries, workload by workload: by how much it is ahead or behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.reporting import text
from harness.reporting.leader import Figure
from harness.reporting.leaders import ranked
from harness.reporting.measures import Measures, Workload
from harness.statistics import Estimate, paired_ratio, simultaneous_confidence


@dataclass(frozen=True)
class Duel:
    """The fastest of either side in one workload.

    :param library: whose routine ``rival`` calls.
    :param ratio: own time over the rival's, in the same blocks.
    """

    workload: str
    own: str
    own_time: Figure
    rival: str
    library: str
    rival_time: Figure
    ratio: Figure
    estimate: Estimate


@dataclass(frozen=True)
class Duels:
    """All workloads in which both sides have a time.

    :param ahead: in how many of them the project's best is faster, by the whole interval of its ratio.
    :param summary: how many are ahead, how many behind, and by how much at most.
    """

    duels: tuple[Duel, ...]
    ahead: int
    summary: str


def duels(measures: Measures, libraries: Mapping[str, str]) -> Duels:
    """All intervals hold together with 95 %, those of every pair that could have been the fastest of its sides.

    :param libraries: by implementation the library whose own routine it calls; empty for the project's own.
    """
    sides = {workload: _sides(measures, workload, libraries) for workload in measures.workloads}
    confidence = simultaneous_confidence(sum(len(own) * len(others) for own, others in sides.values()))
    found = [
        duel
        for workload, (own, others) in sides.items()
        if own and others and (duel := _duel(measures, workload, own[0], others[0], libraries, confidence))
    ]
    ahead = sum(duel.estimate.has_interval and duel.estimate.high < 1 for duel in found)
    return Duels(tuple(found), ahead, _summary(found, ahead))


def _sides(measures: Measures, workload: Workload, libraries: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The project's own and the libraries' in one workload, each from the fastest on."""
    order = ranked(measures, workload, "time")
    return [name for name in order if not libraries.get(name)], [name for name in order if libraries.get(name)]


def _duel(
    measures: Measures, workload: Workload, own: str, rival: str, libraries: Mapping[str, str], confidence: float
) -> Duel | None:
    try:
        ratio = paired_ratio(
            measures.observations(workload, own, "time"), measures.observations(workload, rival, "time"), confidence
        )
    except ValueError:  # they took part in no block together
        return None
    return Duel(
        workload=workload.label(measures.fixed),
        own=own,
        own_time=_time(measures, workload, own),
        rival=rival,
        library=libraries[rival],
        rival_time=_time(measures, workload, rival),
        ratio=Figure(text.times(ratio), text.interval(ratio), raw=ratio.value),
        estimate=ratio,
    )


def _time(measures: Measures, workload: Workload, name: str) -> Figure:
    median = measures.median(workload, name, "time")
    return Figure(text.DASH) if median is None else Figure(text.quantity(median, "ns"), raw=median)


def _summary(found: list[Duel], ahead: int) -> str:
    if not found:
        return ""
    behind = [duel for duel in found if duel.estimate.has_interval and duel.estimate.low > 1]
    open_ = len(found) - ahead - len(behind)
    parts = [f"ahead in {ahead}", *([f"not told apart in {open_}"] if open_ else []), f"behind in {len(behind)}"]
    said = f"Of {text.count(len(found), 'workload')} the project's best is {', '.join(parts)}"
    if behind:
        worst = max(behind, key=lambda duel: duel.estimate.value)
        said += f", most of all {text.times(worst.estimate)} of {worst.rival}'s time ({worst.workload})"
    return f"{said}."
