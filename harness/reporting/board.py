"""The claims board: every claim with its verdict and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.claims import VERDICTS, CellResult, ClaimResult, Verdict
from harness.reporting import text
from harness.reporting.interval import draw_interval


@dataclass(frozen=True)
class CellView:
    label: str
    verdict: Verdict
    estimate: str
    band: str
    drawing: Markup
    reason: str


@dataclass(frozen=True)
class ClaimView:
    """A claim as the page shows it.

    :param telling: the workload that the headline figure is taken from.
    :param tally: how many workloads came out how, where there are several.
    :param scope: which part of the workloads the verdict rests on, if not all.
    :param cells: the workloads, where there are several.
    """

    id: str
    suite: str
    kind: str
    verdict: Verdict
    statement: str
    sentence: str
    source: str
    sentence_language: str
    estimate: str
    band: str
    drawing: Markup
    telling: str
    tally: str
    rule: str
    reason: str
    scope: str
    remark: str
    cells: tuple[CellView, ...]

    @property
    def summary(self) -> str:
        """What is folded away beneath the claim."""
        note = ["note"] if self.remark and not self.estimate else []
        cells = [text.count(len(self.cells), "workload")] if self.cells else []
        told = f": {self.tally}; {self.rule}" if self.tally else ""
        return " and ".join(note + cells).capitalize() + told


@dataclass(frozen=True)
class SuiteClaims:
    name: str
    title: str
    claims: tuple[ClaimView, ...]

    @property
    def tested(self) -> tuple[ClaimView, ...]:
        return tuple(claim for claim in self.claims if claim.verdict != "not tested")

    @property
    def untested(self) -> tuple[ClaimView, ...]:
        return tuple(claim for claim in self.claims if claim.verdict == "not tested")


@dataclass(frozen=True)
class Board:
    """All claims, by suite."""

    counts: tuple[tuple[Verdict, int], ...]
    suites: tuple[SuiteClaims, ...]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)

    def of(self, suite: str) -> tuple[ClaimView, ...]:
        return next((part.claims for part in self.suites if part.name == suite), ())


def make_board(results: Sequence[ClaimResult], titles: dict[str, str]) -> Board:
    """The board of ``results``; ``titles`` are the suites to show, in order."""
    parts = [
        SuiteClaims(name, title, tuple(_claim(result) for result in results if result.suite == name))
        for name, title in titles.items()
    ]
    shown = tuple(part for part in parts if part.claims)
    return Board(_count(claim.verdict for part in shown for claim in part.claims), shown)


def _count(verdicts: Iterable[Verdict]) -> tuple[tuple[Verdict, int], ...]:
    found = Counter(verdicts)
    return tuple((verdict, found[verdict]) for verdict in VERDICTS)


def _claim(result: ClaimResult) -> ClaimView:
    claim, telling = result.claim, result.telling
    several = len(result.cells) > 1
    return ClaimView(
        id=claim.id,
        suite=result.suite,
        kind=claim.kind,
        verdict=result.verdict,
        statement=claim.statement,
        sentence=claim.sentence,
        source=claim.source,
        sentence_language="zh" if text.is_chinese(claim.sentence) else "",
        estimate=text.estimate_with_interval(telling.estimate, claim.unit) if telling else "",
        band=text.band(telling.band, claim.unit) if telling else "",
        drawing=_drawing(telling, claim.unit, labelled=True) if telling else Markup(""),
        telling=telling.label if telling else "",
        tally=_tally(result.cells) if several else "",
        rule=("every workload must hold" if claim.combine == "all" else "one workload suffices") if several else "",
        reason=result.reason if result.verdict in ("not tested", "inconclusive") else "",
        scope=result.scope if result.verdict != "not tested" else "",
        remark=claim.remark,
        cells=tuple(_cell(cell, claim.unit) for cell in result.cells) if several else (),
    )


def _tally(cells: Sequence[CellResult]) -> str:
    found = Counter(cell.verdict for cell in cells)
    return ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS if found[verdict])


def _cell(cell: CellResult, unit: str) -> CellView:
    return CellView(
        label=cell.label,
        verdict=cell.verdict,
        estimate=text.estimate_with_interval(cell.estimate, unit),
        band=text.band(cell.band, unit),
        drawing=_drawing(cell, unit, labelled=False) if cell.estimate else Markup(""),
        reason=cell.reason,
    )


def _drawing(cell: CellResult, unit: str, *, labelled: bool) -> Markup:
    return draw_interval(cell.estimate, cell.band, unit, cell.verdict, labelled=labelled)
