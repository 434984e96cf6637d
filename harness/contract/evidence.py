"""Evidence: which measurements a claim rests on, and which figure is made of them.

This module only declares; :mod:`harness.claims.evidence` computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.contract.cases import Scalar

Instrument = Literal["time", "memory", "energy"]
Threads = int | Literal["all"]
TOTAL = "total"
DISPATCHES = 50


@dataclass(frozen=True)
class Where:
    """The workload that evidence is taken from. ``phase`` is a phase of the suite or ``"total"``.

    ``until`` ends the call after that phase, so that a forward pass can be measured at sizes where the backward pass
    would not fit; it must not come before ``phase``.
    """

    case: Mapping[str, Scalar]
    dtype: str = "float32"
    device: str = "cpu"
    threads: Threads = 1
    phase: str = TOTAL
    until: str = ""


@dataclass(frozen=True)
class CostRatio:
    """Cost of ``numerator`` over cost of ``denominator``: the median of the ratios within blocks, with its interval.

    ``denominator_phase`` is the denominator's phase where it is another than that of ``where``: of one and the same
    implementation, what a phase costs beside another of the same calls.
    """

    numerator: str
    denominator: str
    where: Where
    instrument: Instrument = "time"
    denominator_phase: str = ""


@dataclass(frozen=True)
class MeanRatio:
    """The geometric mean of the cost ratios of the same two implementations over several workloads."""

    numerator: str
    denominator: str
    wheres: tuple[Where, ...]
    instrument: Instrument = "time"


@dataclass(frozen=True)
class CheapestRatio:
    """Cost of ``implementation`` over that of the cheapest of ``others``: the largest of the ratios with each of them.

    Every ratio is one of :class:`CostRatio`; the interval is that of the largest.
    """

    implementation: str
    others: tuple[str, ...]
    where: Where
    instrument: Instrument = "time"


@dataclass(frozen=True)
class ModelError:
    """How far off a cost model is: median of |predicted / measured - 1| of ``implementation`` at ``held_out`` sizes.

    The constants of the suite's cost model of that name are fitted to what all ``contestants`` cost at the ``fitted``
    values of ``axis``; ``workloads`` share the constants, their cases are without the axis.
    """

    model: str
    implementation: str
    contestants: tuple[str, ...]
    axis: str
    fitted: tuple[float, ...]
    held_out: tuple[float, ...]
    workloads: tuple[Where, ...]
    instrument: Instrument = "time"


@dataclass(frozen=True)
class CostDifference:
    """Cost of ``minuend`` less that of ``subtrahend``, in ns, bytes or J: median of the differences within blocks."""

    minuend: str
    subtrahend: str
    where: Where
    instrument: Instrument = "time"


@dataclass(frozen=True)
class CaseRatio:
    """Cost of one implementation in one workload over its cost in another.

    ``per_thread`` divides by how many times as many threads the denominator has, so that a speed-up is a share of the
    best possible one, also where the denominator has all threads of a machine that is not known beforehand.
    """

    implementation: str
    numerator: Where
    denominator: Where
    instrument: Instrument = "time"
    per_thread: bool = False


@dataclass(frozen=True)
class CostGrowth:
    """The exponent with which a cost grows along ``axis``; ``where.case`` holds the other parameters.

    ``empty`` is the value of ``axis`` at which the call has nothing to do, where there is one: sizes that cost less
    than :data:`DISPATCHES` times as much as that say more of the call than of the work, and are left out.
    """

    implementation: str
    axis: str
    values: tuple[float, ...]
    where: Where
    instrument: Instrument = "time"
    empty: float | None = None


@dataclass(frozen=True)
class CostSlope:
    """By how much a cost grows with each unit of ``axis``, in ns, bytes or J: the slope of the least-squares line.

    For a cost that has a part which does not grow, where an exponent would say little; ``values`` may include 0.
    """

    implementation: str
    axis: str
    values: tuple[float, ...]
    where: Where
    instrument: Instrument = "time"


@dataclass(frozen=True)
class RatioTrend:
    """By how much the cost ratio of numerator to denominator changes with each doubling of ``axis``.

    It is the slope of the least-squares line through the ratios on the binary logarithm of ``values``, such as the
    factor log n that one of two methods has beyond the other.
    """

    numerator: str
    denominator: str
    axis: str
    values: tuple[float, ...]
    where: Where
    instrument: Instrument = "time"


@dataclass(frozen=True)
class RatioGrowth:
    """The exponent with which the cost of numerator over denominator grows along ``axis``, by the ratios in blocks.

    ``denominator_phase`` is the denominator's phase where it is another than that of ``where``.
    """

    numerator: str
    denominator: str
    axis: str
    values: tuple[float, ...]
    where: Where
    instrument: Instrument = "time"
    denominator_phase: str = ""


@dataclass(frozen=True)
class Crossover:
    """The value of ``axis`` at which the cost ratio of numerator to denominator passes 1 (log-linear interpolation).

    Where the ratio stays below 1 over the whole axis the crossover is beyond its end, where it starts above 1 it is
    before its beginning; both are reported as an interval open to that side.
    """

    numerator: str
    denominator: str
    axis: str
    values: tuple[float, ...]
    where: Where
    instrument: Instrument = "time"


@dataclass(frozen=True)
class ConstantOverhead:
    """Whether ``minuend`` costs a constant Δ more than ``subtrahend``, whatever ``axis`` makes the latter cost.

    ``figure``: ``slope`` is that of the least-squares line through Δ on the cost of the subtrahend, 0 for a constant;
    ``spread`` the largest over the smallest Δ, where its interval is narrower than half of it; ``crossing`` the cost of
    the subtrahend from which on the minuend is within ``share`` of it; ``prediction`` that cost over Δ / ``share``,
    where a constant Δ puts it; and ``growth`` the exponent with which Δ grows along the axis.
    """

    minuend: str
    subtrahend: str
    axis: str
    values: tuple[float, ...]
    where: Where
    figure: Literal["slope", "spread", "crossing", "prediction", "growth"]
    share: float = 0.05
    instrument: Instrument = "time"


@dataclass(frozen=True)
class CeilingShare:
    """Work per second over the measured ceiling of this machine: ``matmul`` (FLOP/s) or ``copy`` (bytes/s)."""

    implementation: str
    where: Where
    ceiling: Literal["matmul", "copy"] = "matmul"


@dataclass(frozen=True)
class ProbeValue:
    """The mean of what a probe returns under ``value``, with its interval over seeds; an exact count has none."""

    probe: str
    value: str
    case: Mapping[str, Scalar] = field(default_factory=dict)
    implementation: str = ""


@dataclass(frozen=True)
class ProbeRatio:
    """A probe's mean over the smallest of what it returns for others; without an interval, as of exact counts."""

    numerator: ProbeValue
    others: tuple[ProbeValue, ...]


@dataclass(frozen=True)
class ProbeDifference:
    """The mean of paired differences ``minuend - subtrahend`` of two probe values, seed by seed or fold by fold.

    ``test_share`` is n_test/n_train where the scores come from overlapping training sets (folds, repeated splits of
    the same data): the interval then uses the corrected variance of Nadeau and Bengio (2003).
    """

    minuend: ProbeValue
    subtrahend: ProbeValue
    test_share: float | None = None


@dataclass(frozen=True)
class ProbeGrowth:
    """The exponent with which a probe's value grows along ``axis``; ``probe.case`` holds the other parameters."""

    probe: ProbeValue
    axis: str
    values: tuple[float, ...]


Evidence = (
    CostRatio
    | MeanRatio
    | CheapestRatio
    | ModelError
    | CostDifference
    | CaseRatio
    | CostGrowth
    | CostSlope
    | RatioTrend
    | RatioGrowth
    | Crossover
    | ConstantOverhead
    | CeilingShare
    | ProbeValue
    | ProbeRatio
    | ProbeDifference
    | ProbeGrowth
)
