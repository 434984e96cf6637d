"""The findings in words, the same on a terminal, in a comment and in a test report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from harness.figures import format_quantity
from harness.gate.noise import Noise
from harness.gate.results import Compared, Findings
from harness.statistics import Estimate
from harness.trials import InstrumentName

_UNITS: Mapping[InstrumentName, str] = {"time": "ns", "memory": "bytes", "energy": "J"}
_ORDER = ("slower", "undecided", "faster", "same")
# Beyond twice or half, per cent are hard to read.
_FACTOR = 2.0


def sorted_rows(rows: Iterable[Compared]) -> list[Compared]:
    """What fails first, and the largest change first within each verdict."""
    return sorted(
        rows,
        key=lambda row: (
            bool(row.accepted),
            _ORDER.index(row.verdict),
            -abs(_log(row.ratio.value)),
            row.name,
            row.case,
        ),
    )


def change(ratio: float) -> str:
    """``+5.1 %``, or ``x 3.2`` where it is far from 1."""
    if not math.isfinite(ratio):
        return "?"
    if ratio > _FACTOR or ratio < 1 / _FACTOR:
        return f"x {ratio:.3g}"
    return f"{(ratio - 1) * 100:+.1f} %"


def interval(ratio: Estimate) -> str:
    return f"{change(ratio.low)} to {change(ratio.high)}" if ratio.has_interval else "unknown"


def values(row: Compared) -> str:
    unit = _UNITS[row.instrument]
    return f"{format_quantity(row.base_value, unit)} to {format_quantity(row.head_value, unit)}"


def verdict_word(row: Compared) -> str:
    if row.verdict == "slower":
        word = "slower" if row.instrument == "time" else "hungrier"
        return f"{word}, accepted" if row.accepted else word
    if row.verdict == "faster" and row.instrument != "time":
        return "leaner"
    return row.verdict


def headline(findings: Findings) -> str:
    """The verdict in one sentence."""
    rows = findings.compared
    if findings.broken:
        several = f" and {len(findings.broken) - 1} more" if len(findings.broken) > 1 else ""
        first = findings.broken[0]
        return f"head is broken: {first.name} is {first.status}{several}"
    failing = [row for row in rows if row.fails]
    if failing:
        return f"slower: {_count(len(failing), 'comparison')} of {len(rows)}"
    if findings.hindered:
        return f"no verdict: {findings.hindered[0].name} could not be measured"
    if not rows:
        if findings.chosen or findings.new:
            return "nothing to compare"
        return "nothing changed that is measured"
    counts = {verdict: sum(row.verdict == verdict and not row.accepted for row in rows) for verdict in _ORDER}
    accepted = sum(bool(row.accepted) for row in rows)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ("faster", "same", "undecided") if counts[verdict]]
    parts += [f"{accepted} slower and accepted"] if accepted else []
    return f"{findings.verdict}: of {_count(len(rows), 'comparison')} {', '.join(parts)}"


def remarks(findings: Findings) -> list[str]:
    """What was left out, what ended early, and what else a reader has to know."""
    said = list(findings.notes)
    if not findings.finished:
        said.append("The budget ended before everything was decided; more of it would decide more.")
    said += [
        f"The accepted change of {each.what} ({each.reason}) ended on {each.until} and counts no more."
        for each in findings.expired
    ]
    said += [
        f"{row.name} {row.workload} {row.instrument}: {change(row.ratio.value)} accepted until {row.accepted.until}: "
        f"{row.accepted.reason}"
        for row in findings.compared
        if row.accepted
    ]
    if findings.new:
        said.append(
            f"New and right, with nothing to compare with: {', '.join('/'.join(name) for name in findings.new)}."
        )
    if findings.removed:
        said.append(f"Removed: {', '.join('/'.join(name) for name in findings.removed)}.")
    said += [
        f"{fault.name} {fault.case} was {fault.status} in base already, and is not counted: {fault.reason}"
        for fault in findings.broken_before
    ]
    said += [f"{what} is left out: {why}" for what, why in findings.left_out.items()]
    return said


def skipped(findings: Findings) -> str:
    """How many implementations were not measured, and why."""
    reasons: dict[str, int] = {}
    for reason in findings.skipped.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    return "; ".join(
        f"skipped {_count(count, 'implementation')}: {reason} on both sides (--all measures them)"
        for reason, count in reasons.items()
    )


def noise(one: Noise) -> str:
    """How often the gate would be wrong here."""
    figure = Estimate(one.ratio, one.low, one.high)
    return (
        f"{one.kind}: twice the same differs by {change(one.ratio)} ({interval(figure)}); equal code would be called "
        f"different in {_share(one.different)} and left undecided in {_share(one.undecided)} of decisions"
    )


def _share(share: float) -> str:
    return "under 0.1 %" if share < 0.001 else f"{share:.1%}".replace("%", " %")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _log(ratio: float) -> float:
    return math.log(ratio) if ratio > 0 and math.isfinite(ratio) else 0.0
