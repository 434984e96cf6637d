"""Claims: statements with a source, the evidence they rest on and the band that decides them.

This module only declares; :mod:`harness.claims` turns declarations and records into verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.contract.cases import Profile, Scalar

Instrument = Literal["time", "memory", "energy"]
Threads = int | Literal["all"]
TOTAL = "total"
DISPATCHES = 50


@dataclass(frozen=True)
class Band:
    """The values for which a statement holds, both ends included."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"band from {self.low} to {self.high} is empty")


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


@dataclass(frozen=True)
class Cell:
    """One workload of a claim: its evidence and the band fixed before any measurement.

    ``equivalence`` asks for two one-sided tests at 5 %, which is the 90 % interval inside the band. ``refuted_in``
    is needed only where the source leaves a gap between holding and not holding; otherwise everything outside the
    band refutes. ``holding`` is a value that the interval must hold as well: one inside the band that misses it is
    inconclusive. ``undisturbed`` leaves a cost undecided where others used the CPUs during a sample: for suites with
    ``several_cpus``, which are watched for that. ``profile`` is the smallest that measures it, where that is a larger
    one than the claim's.
    """

    label: str
    evidence: Evidence
    band: Band
    equivalence: bool = False
    refuted_in: Band | None = None
    holding: float | None = None
    undisturbed: bool = False
    profile: Profile = "quick"


@dataclass(frozen=True)
class Claim:
    """A statement of a paper, a documentation page or the notes.

    :param id: ``<suite>.<number>``; numbers are stable and never reused.
    :param kind: ``result`` (what comes out), ``count`` (a deterministic counter), ``cost`` (a clock or a meter).
    :param source: the paper and section, documentation page, or ``notes, page NNN``.
    :param cells: the workloads; an empty tuple needs ``not_tested``.
    :param combine: ``all`` for a universal statement (one refuted cell refutes it), ``any`` where one cell suffices.
    :param sentence: the notes' own sentence.
    :param unit: what the estimate counts, ``1`` for a ratio or an exponent.
    :param profile: the smallest profile that measures it.
    :param not_tested: why no record could ever decide it on a machine like this, where that is so.
    :param remark: what a reader must know: an unverified figure, a band that the source does not print.
    """

    id: str
    kind: Literal["result", "count", "cost"]
    statement: str
    source: str
    cells: tuple[Cell, ...] = ()
    combine: Literal["all", "any"] = "all"
    sentence: str = ""
    unit: str = "1"
    profile: Profile = "full"
    not_tested: str = ""
    remark: str = ""

    def __post_init__(self) -> None:
        if not self.cells and not self.not_tested:
            raise ValueError(f"claim {self.id!r} has neither cells nor a reason why it is not tested")
