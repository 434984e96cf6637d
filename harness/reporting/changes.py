"""Two sides compared: what a page and a text say of each contestant, and of each claim on either side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from harness.claims import ClaimResult, Verdict
from harness.comparing import DEFAULT_THRESHOLD, Change, Comparison
from harness.contract import Band
from harness.reporting import text
from harness.reporting.interval import draw_interval
from harness.statistics import Estimate

_MOST_CAUTIONS = 5
_SAME = Band(1 / (1 + DEFAULT_THRESHOLD), 1 + DEFAULT_THRESHOLD)


@dataclass(frozen=True)
class Side:
    """One of the two.

    :param commit: empty where it is not said.
    :param claims: the verdicts on its records; none where it is a file of another tool.
    """

    name: str
    machine: str
    commit: str = ""
    measured_at: str = ""
    claims: Sequence[ClaimResult] = ()


@dataclass(frozen=True)
class Changes:
    """Head against base.

    :param across_machines: the two are of different machines: a ratio is of the machines then.
    :param left_out: what was measured and could not be compared, with reasons.
    """

    base: Side
    head: Side
    verdict: Change
    comparisons: Sequence[Comparison]
    left_out: Sequence[str] = ()
    across_machines: bool = False
    counts: Sequence[tuple[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        found = Counter(each.verdict for each in self.comparisons)
        object.__setattr__(self, "counts", tuple((verdict, found[verdict]) for verdict in _ORDER))

    @property
    def cautions(self) -> Sequence[tuple[str, int]]:
        """What weakens the intervals, most frequent first."""
        return Counter(each.ratio.caution for each in self.comparisons if each.ratio.caution).most_common(
            _MOST_CAUTIONS
        )

    @property
    def rows(self) -> Sequence[ChangeRow]:
        """The comparisons, those decided first and of these the greatest change."""
        order = {verdict: place for place, verdict in enumerate(_ORDER)}
        ranked = sorted(self.comparisons, key=lambda each: (order[each.verdict], -_size(each.ratio.value)))
        return [ChangeRow.of(each) for each in ranked]

    @property
    def claims(self) -> Sequence[ClaimPair]:
        """Claims that either side has, those that came out differently first."""
        sides = [{result.claim.id: result for result in side.claims} for side in (self.base, self.head)]
        pairs = [ClaimPair.of(sides[0].get(name), sides[1].get(name)) for name in dict.fromkeys([*sides[0], *sides[1]])]
        tested = [pair for pair in pairs if {pair.base_verdict, pair.head_verdict} - {"not tested", ""}]
        return sorted(tested, key=lambda pair: not pair.differs)

    @property
    def command(self) -> str:
        return f"bakeoff compare {self.base.name} {self.head.name}" + (" --machines" if self.across_machines else "")


_ORDER: tuple[Change, ...] = ("slower", "faster", "undecided", "same")


@dataclass(frozen=True)
class ChangeRow:
    """One comparison as it is shown."""

    name: str
    workload: str
    instrument: str
    verdict: Change
    base: str
    head: str
    ratio: str
    interval: str
    raw: float
    drawing: Markup

    @classmethod
    def of(cls, comparison: Comparison) -> ChangeRow:
        ratio = comparison.ratio
        return cls(
            name=comparison.name,
            workload=", ".join(filter(None, (comparison.case, comparison.setting))),
            instrument=comparison.instrument,
            verdict=comparison.verdict,
            base=_value(comparison.base, comparison.unit),
            head=_value(comparison.head, comparison.unit),
            ratio=text.times(ratio),
            interval=text.interval(ratio),
            raw=ratio.value,
            drawing=draw_interval(ratio, _SAME, "1", comparison.verdict, labelled=False),
        )


@dataclass(frozen=True)
class ClaimPair:
    """A claim with its verdict and figure on either side; empty where a side does not have it."""

    id: str
    statement: str
    source: str
    base_verdict: Verdict | str
    head_verdict: Verdict | str
    base: str
    head: str

    @property
    def differs(self) -> bool:
        return self.base_verdict != self.head_verdict

    @classmethod
    def of(cls, base: ClaimResult | None, head: ClaimResult | None) -> ClaimPair:
        claim = next(side.claim for side in (base, head) if side is not None)
        return cls(
            id=claim.id,
            statement=claim.statement,
            source=claim.source,
            base_verdict=base.verdict if base else "",
            head_verdict=head.verdict if head else "",
            base=_claimed(base),
            head=_claimed(head),
        )


def _claimed(result: ClaimResult | None) -> str:
    if result is None or result.telling is None:
        return text.DASH
    return text.estimate_with_interval(result.telling.estimate, result.claim.unit)


def _value(estimate: Estimate | None, unit: str) -> str:
    return text.DASH if estimate is None else text.quantity(estimate.value, unit or "1")


def _size(ratio: float) -> float:
    return max(ratio, 1 / ratio) if ratio > 0 else 0.0
