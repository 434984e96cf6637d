"""A suite in one line: who is right, who is fastest and leanest, and by how much."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import text
from harness.reporting.leader import no_share
from harness.reporting.leaders import ranked
from harness.reporting.measures import Measures, Workload
from harness.reporting.standing import STANDINGS, Contestant, Standing
from harness.statistics import Estimate, paired_ratio


@dataclass(frozen=True)
class Winner:
    """Who needs least of something in the headline workload.

    :param against_baseline: ``× 0.25 of NAME``, or why there is no such figure.
    :param ratio: that figure for sorting.
    :param rival: the runner-up, when the interval of the two's ratio includes 1.
    """

    name: str
    figure: str
    against_baseline: str
    ratio: float | None
    rival: str


@dataclass(frozen=True)
class Glance:
    name: str
    title: str
    workload: str
    counts: tuple[tuple[Standing, int], ...]
    fastest: Winner | None
    leanest: Winner | None
    thriftiest: Winner | None
    nearest: str
    nearest_share: float
    no_nearest: str


def glance(measures: Measures, contestants: Sequence[Contestant]) -> Glance:
    """The headline workload's winners; none where no contestant has a figure."""
    workload = measures.headline
    nearest, share = _nearest(measures, workload)
    return Glance(
        name=measures.suite.name,
        title=measures.suite.title,
        workload=workload.label(measures.fixed) if workload else "",
        counts=count_standings(contestants),
        fastest=_winner(measures, workload, "time", "ns"),
        leanest=_winner(measures, workload, "memory", "bytes"),
        thriftiest=_winner(measures, workload, "energy", "J"),
        nearest=nearest,
        nearest_share=share,
        no_nearest=no_share(measures, workload) if workload else "no figure",
    )


def count_standings(contestants: Sequence[Contestant]) -> tuple[tuple[Standing, int], ...]:
    found = Counter(contestant.standing for contestant in contestants)
    return tuple((standing, found[standing]) for standing in STANDINGS)


def _winner(measures: Measures, workload: Workload | None, instrument: str, unit: str) -> Winner | None:
    order = ranked(measures, workload, instrument) if workload else ()
    if workload is None or not order:
        return None
    first = order[0]
    reading = measures.reading(workload, first, instrument)
    if reading is None or reading.estimate is None:
        return None
    return Winner(
        name=first,
        figure=text.quantity(reading.estimate.value, unit),
        against_baseline=_against_baseline(measures, workload, first, instrument, reading.ratio),
        ratio=1.0 if first == measures.suite.baseline else reading.ratio.value if reading.ratio else None,
        rival=next(
            (other for other in order[1:2] if not _told_apart(measures, workload, instrument, first, other)), ""
        ),
    )


def _against_baseline(
    measures: Measures, workload: Workload, name: str, instrument: str, ratio: Estimate | None
) -> str:
    baseline = measures.suite.baseline
    if name == baseline:
        return "the baseline itself"
    if ratio is None:
        missing = "has no figure here" if measures.median(workload, baseline, instrument) is None else "is no measure"
        return f"the baseline {baseline} {missing}"
    ends = text.interval(ratio)
    return f"{text.times(ratio)} of {baseline}" + (f" ({ends})" if ends else "")


def _told_apart(measures: Measures, workload: Workload, instrument: str, first: str, second: str) -> bool:
    """Whether the interval of the two's ratio, taken in the same blocks, lies below 1."""
    try:
        ratio = paired_ratio(
            measures.observations(workload, first, instrument), measures.observations(workload, second, instrument)
        )
    except ValueError:  # memory that did not grow has no ratio
        costs = [measures.median(workload, name, instrument) for name in (first, second)]
        return costs[0] != costs[1]
    return ratio.has_interval and ratio.high < 1


def _nearest(measures: Measures, workload: Workload | None) -> tuple[str, float]:
    """The largest share of a ceiling that anyone reached, in words and as a number."""
    best, words = -math.inf, ""
    for name in measures.contestants if workload else ():
        for ceiling, title in (("matmul", "arithmetic"), ("copy", "memory traffic")):
            share = measures.share(workload, name, ceiling) if workload else None  # type: ignore[arg-type]
            if share is not None and share.value > best:
                best, words = share.value, f"{text.percent(share.value)} of {title}, {name}"
    return words, best
