"""The verdicts of two runs on the same claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.claims import ClaimResult, evaluate_claims
from harness.contract import Suite
from harness.loading import Run

Change = Literal["same", "reversed", "decided now", "no longer decided", "tested now", "no longer tested"]


@dataclass(frozen=True)
class VerdictPair:
    """A claim as each of two runs judges it, both by the bands of today.

    :param old: its verdict and headline figure, as are those of ``new``.
    """

    claim: str
    statement: str
    change: Change
    old: str
    new: str


def compare_verdicts(old: Run, new: Run, suites: Mapping[str, Suite]) -> list[VerdictPair]:
    """Every claim that one of the runs tested."""
    before, after = (evaluate_claims(suites.values(), run.records, run.environment) for run in (old, new))
    return [
        VerdictPair(first.claim.id, first.claim.statement, _change(first, second), _shown(first), _shown(second))
        for first, second in zip(before, after, strict=True)
        if "not tested" not in {first.verdict} & {second.verdict}
    ]


def _change(old: ClaimResult, new: ClaimResult) -> Change:
    if old.verdict == new.verdict:
        return "same"
    if new.verdict == "not tested":
        return "no longer tested"
    if old.verdict == "not tested":
        return "tested now"
    if new.verdict == "inconclusive":
        return "no longer decided"
    return "decided now" if old.verdict == "inconclusive" else "reversed"


def _shown(result: ClaimResult) -> str:
    estimate = result.telling.estimate if result.telling else None
    return f"{result.verdict} ({estimate.value:.3g})" if estimate else result.verdict
