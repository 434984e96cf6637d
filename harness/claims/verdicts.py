"""From an estimate and a band to a verdict, and from many cells to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from harness.contract import Band
from harness.statistics import Estimate

Verdict = Literal["reproduced", "refuted", "inconclusive", "not tested"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def judge(estimate: Estimate, band: Band, refuted_in: Band | None = None, holding: float | None = None) -> Verdict:
    """Reproduced with the whole interval inside the band, refuted with the whole interval outside, else inconclusive.

    With ``refuted_in`` only that band refutes, and what lies between the two is inconclusive; so is an interval inside
    the band that does not hold ``holding``.
    """
    if not estimate.has_interval:
        return "inconclusive"
    if band.low <= estimate.low and estimate.high <= band.high:
        return "reproduced" if holding is None or estimate.low <= holding <= estimate.high else "inconclusive"
    if refuted_in is not None:
        inside = refuted_in.low <= estimate.low and estimate.high <= refuted_in.high
        return "refuted" if inside else "inconclusive"
    outside = estimate.high < band.low or estimate.low > band.high
    return "refuted" if outside else "inconclusive"


def combine(verdicts: Sequence[Verdict], how: Literal["all", "any"]) -> Verdict:
    """The verdict over all cells.

    ``all``: one refuted cell refutes, and only when every cell was tested and reproduced is the statement. ``any``: one
    reproduced cell reproduces, and only when every cell was refuted is the statement.
    """
    deciding, other = ("refuted", "reproduced") if how == "all" else ("reproduced", "refuted")
    if deciding in verdicts:
        return "refuted" if how == "all" else "reproduced"
    if all(verdict == other for verdict in verdicts):
        return "reproduced" if how == "all" else "refuted"
    if all(verdict == "not tested" for verdict in verdicts):
        return "not tested"
    return "inconclusive"
