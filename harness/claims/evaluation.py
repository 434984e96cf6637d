"""Every claim of a suite with its verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.claims.evidence import estimate_evidence
from harness.claims.observations import Measurements, NotMeasured
from harness.claims.verdicts import Verdict, combine, judge
from harness.contract import Band, Cell, Claim, Suite
from harness.needs import needs_of
from harness.records import Record
from harness.statistics import Estimate

CONFIDENCE = 0.95
EQUIVALENCE_CONFIDENCE = 0.90


@dataclass(frozen=True)
class CellResult:
    """One workload of a claim; ``estimate`` is ``None`` where it was not tested, for the reason given."""

    label: str
    verdict: Verdict
    band: Band
    estimate: Estimate | None
    reason: str


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its verdict.

    :param telling: the cell that the headline figure is taken from: one that decided the verdict.
    :param left_out: how many more workloads the claim has that only the full profile measures.
    """

    claim: Claim
    suite: str
    verdict: Verdict
    cells: tuple[CellResult, ...]
    telling: CellResult | None
    reason: str
    left_out: int = 0

    @property
    def scope(self) -> str:
        """Which part of its workloads a verdict of the quick profile rests on, if not all."""
        if not self.left_out:
            return ""
        return f"rests on {len(self.cells)} of {len(self.cells) + self.left_out} workloads, the quick profile's"

    def to_json(self) -> dict[str, Any]:
        claim, telling = self.claim, self.telling
        return {
            "id": claim.id,
            "suite": self.suite,
            "kind": claim.kind,
            "statement": claim.statement,
            "sentence": claim.sentence,
            "source": claim.source,
            "remark": claim.remark,
            "verdict": self.verdict,
            **_figures(telling),
            "unit": claim.unit,
            "reason": self.reason,
            "workloads_left_out": self.left_out,
            "cells": [
                {"label": cell.label, "verdict": cell.verdict, **_figures(cell), "reason": cell.reason}
                for cell in self.cells
            ],
        }


def evaluate_claims(
    suites: Iterable[Suite], records: Iterable[Record], environment: Mapping[str, Any]
) -> list[ClaimResult]:
    """The verdict of every claim of ``suites`` on the records of one run."""
    found = Measurements(records, environment)
    return [evaluate_claim(suite, claim, found) for suite in suites for claim in suite.claims]


def evaluate_claim(suite: Suite, claim: Claim, found: Measurements) -> ClaimResult:
    quick = claim.profile == "quick" and found.environment.get("profile") == "quick"
    measured = [cell for cell in claim.cells if not (quick and cell.profile == "full")]
    cells = tuple(_evaluate_cell(suite, cell, claim, found) for cell in measured)
    if not cells:
        return ClaimResult(claim, suite.name, "not tested", (), None, claim.not_tested)
    verdict = combine([cell.verdict for cell in cells], claim.combine)
    telling = _telling(cells, verdict)
    reasons = dict.fromkeys(cell.reason for cell in cells if cell.reason)
    return ClaimResult(claim, suite.name, verdict, cells, telling, "; ".join(reasons), len(claim.cells) - len(cells))


def _evaluate_cell(suite: Suite, cell: Cell, claim: Claim, found: Measurements) -> CellResult:
    confidence = EQUIVALENCE_CONFIDENCE if cell.equivalence else CONFIDENCE
    try:
        estimate = estimate_evidence(suite, cell.evidence, found, confidence)
    except NotMeasured as lacking:
        reason = str(lacking)
        if reason == "not part of this run" and claim.profile == "full" and found.environment.get("profile") == "quick":
            reason = f"measured by the full profile only: bakeoff run {suite.name} --profile full"
        return CellResult(cell.label, "not tested", cell.band, None, reason)
    verdict = judge(estimate, cell.band, cell.refuted_in, cell.holding)
    reason = "" if estimate.has_interval else "a single measurement gives no interval"
    if cell.undisturbed:
        disturbed, samples = found.disturbed(suite.name, needs_of(cell.evidence))
        if disturbed:
            verdict, reason = "inconclusive", f"others used the CPUs during {disturbed} of {samples} samples"
    return CellResult(cell.label, verdict, cell.band, estimate, reason)


def _telling(cells: tuple[CellResult, ...], verdict: Verdict) -> CellResult | None:
    """A cell that has the claim's own verdict, else any that was measured."""
    measured = [cell for cell in cells if cell.estimate is not None]
    return next((cell for cell in measured if cell.verdict == verdict), measured[0] if measured else None)


def _figures(cell: CellResult | None) -> dict[str, float | None]:
    estimate = cell.estimate if cell else None
    return {
        "estimate": _finite(estimate.value) if estimate else None,
        "low": _finite(estimate.low) if estimate else None,
        "high": _finite(estimate.high) if estimate else None,
        "band_low": _finite(cell.band.low) if cell else None,
        "band_high": _finite(cell.band.high) if cell else None,
    }


def _finite(value: float) -> float | None:
    """JSON has no infinity: an open end is null."""
    return value if math.isfinite(value) else None
