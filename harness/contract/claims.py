"""Claims: statements with a source, the evidence they rest on and the band that decides them.

This module only declares; :mod:`harness.claims` turns declarations and records into verdicts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.contract.cases import Profile
from harness.contract.evidence import Evidence


@dataclass(frozen=True)
class Band:
    """The values for which a statement holds, both ends included."""

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"band from {self.low} to {self.high} is empty")


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
