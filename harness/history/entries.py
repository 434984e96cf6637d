"""One measured figure of one commit, wherever it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from harness.history.machines import Machine
from harness.statistics import Estimate, Observations, independent_ratio, median_estimate
from harness.statistics.estimates import CONFIDENCE, joined
from harness.statistics.summaries import quartile_estimate, ratio_of_estimates

Tool = Literal["bakeoff", "asv", "pytest-benchmark"]
EntryStatus = Literal["ok", "failed", "unavailable"]

MOST_BLOCKS = 100
"""More say no more of a process, and what is computed from two sides grows with the product of their numbers."""

DEARER_WHEN_MORE = ("time", "memory", "energy", "mem", "peakmem")
"""Instruments of which a larger value is a dearer one; of any other (asv's ``track``) no one can know."""


@dataclass(frozen=True)
class Figure:
    """A value with what its interval can be made from.

    :param value: the median, in the unit of its entry.
    :param observations: the values by process and moment, where they were kept.
    :param quartiles: of the values, where only they were kept.
    :param count: how many values there were.
    :param bounds: an interval of the median that the tool itself made; ours is never narrower.
    :param rests_on: what the interval is made from, in words.
    :param caution: what weakens it beside what the statistics say of it.
    """

    value: float
    observations: Observations = field(default_factory=dict)
    quartiles: tuple[float, float] | None = None
    count: int = 1
    bounds: tuple[float, float] | None = None
    rests_on: str = "a single value"
    caution: str = ""

    def estimate(self, confidence: float = CONFIDENCE) -> Estimate:
        """The value with an interval; without one where nothing honest can be said."""
        if self.observations:
            found = median_estimate(self.observations, confidence)
        elif self.quartiles is not None:
            found = quartile_estimate(self.value, *self.quartiles, self.count, confidence)
        else:
            found = Estimate.without_interval(self.value, self.count)
        low, high = found.low, found.high
        if self.bounds is not None and found.has_interval:
            low, high = min(low, self.bounds[0]), max(high, self.bounds[1])
        caution = joined(self.caution, found.caution if found.has_interval else f"no interval: {self.rests_on}")
        return Estimate(found.value, low, high, found.count, caution)


@dataclass(frozen=True)
class Entry:
    """What a benchmark gave on one commit.

    :param suite: empty for a benchmark that was not made from one of our suites.
    :param implementation: for such a benchmark its own name.
    :param case: the parameters in one line.
    :param dtype: empty where it is not said.
    :param unit: ``ns``, ``bytes``, ``J``, or as the tool calls it.
    :param figure: ``None`` unless the status is ``ok``.
    :param version: the tool's mark of what the benchmark does: figures of two versions are of two things.
    """

    suite: str
    implementation: str
    case: str
    instrument: str
    unit: str
    device: str = "cpu"
    dtype: str = ""
    threads: int | None = None
    status: EntryStatus = "ok"
    reason: str = ""
    figure: Figure | None = None
    version: str = ""
    measured_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.suite}/{self.implementation}" if self.suite else self.implementation

    @property
    def key(self) -> tuple[object, ...]:
        """What two entries share that are of the same thing, apart from the dtype; a case's parameters in any order."""
        parameters = tuple(sorted(self.case.split(" ")))
        return (self.suite, self.implementation, parameters, self.instrument, self.unit, self.device, self.threads)


@dataclass(frozen=True)
class History:
    """The entries of one file or run, which are all of one commit.

    :param source: the file or the run, as it is shown.
    :param commit: empty where it is not said.
    :param modified: files differed from the commit.
    :param warnings: what could not be read.
    """

    source: str
    tool: Tool
    machine: Machine
    entries: tuple[Entry, ...]
    commit: str = ""
    committed_at: datetime | None = None
    modified: bool = False
    measured_at: datetime | None = None
    warnings: tuple[str, ...] = ()


def blocks(values: Sequence[float]) -> dict[tuple[int, int], float]:
    """The values of one process, in order, as the medians of at most :data:`MOST_BLOCKS` stretches of like length."""
    if len(values) <= MOST_BLOCKS:
        return {(0, number): value for number, value in enumerate(values)}
    stretches = np.array_split(np.asarray(values, dtype=float), MOST_BLOCKS)
    return {(0, number): float(np.median(stretch)) for number, stretch in enumerate(stretches)}


def ratio(head: Figure, base: Figure, confidence: float) -> Estimate:
    """Head over base, by ranks where both kept their values, otherwise from an interval of each.

    :raises ValueError: a value is not positive.
    """
    if head.observations and base.observations:
        found = independent_ratio(head.observations, base.observations, confidence)
        return Estimate(
            found.value, found.low, found.high, found.count, joined(head.caution, base.caution, found.caution)
        )
    each = 1 - (1 - confidence) / 2
    return ratio_of_estimates(head.estimate(each), base.estimate(each))
