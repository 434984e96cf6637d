"""Two stored runs against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.contract import TOTAL
from harness.loading import Run
from harness.records import Record
from harness.statistics import Estimate, independent_ratio
from harness.statistics.equivalence import simultaneous_confidence

Change = Literal["faster", "slower", "same", "undecided"]
DEFAULT_THRESHOLD = 0.05
_MUST_AGREE = (("machine", "cpu"), ("machine", "cpus"), ("machine", "architecture"))


class Incomparable(Exception):
    """The two runs cannot be compared; the message says why."""


@dataclass(frozen=True)
class Comparison:
    """Head's cost over base's for one contestant and workload: above 1 is dearer.

    :param threads: ``None`` where whoever measured it did not say.
    """

    suite: str
    implementation: str
    case: str
    device: str
    dtype: str
    threads: int | None
    instrument: str
    ratio: Estimate
    verdict: Change


def compare_runs(base: Run, head: Run, threshold: float = DEFAULT_THRESHOLD) -> list[Comparison]:
    """Every contestant and workload that both runs measured, by time and peak memory.

    The runs were not interleaved: whatever changed on the machine between them is part of the ratio. The intervals hold
    all together with 95 % confidence.

    :raises Incomparable: the machines differ, or the runs share nothing.
    """
    for table, key in _MUST_AGREE:
        ours, theirs = (run.environment.get(table, {}).get(key) for run in (base, head))
        for run, value in ((base, ours), (head, theirs)):
            if value is None:
                raise Incomparable(
                    f"the environment of {run.name} does not say its {table}'s {key}, so no one can tell "
                    "whether it was measured on the same machine"
                )
        if ours != theirs:
            raise Incomparable(
                f"{base.name} and {head.name} come from different machines ({key}: {ours!r} and {theirs!r}); "
                "figures of different machines say nothing about the code"
            )
    groups = [_by_contestant(run.records) for run in (base, head)]
    shared = [key for key in groups[0] if key in groups[1]]
    confidence = simultaneous_confidence(len(shared))
    found = (_compare(groups[0][key], groups[1][key], threshold, confidence) for key in shared)
    comparisons = [comparison for comparison in found if comparison is not None]
    if not comparisons:
        raise Incomparable(f"{base.name} and {head.name} share no contestant that both measured")
    return comparisons


def overall(comparisons: Sequence[Comparison]) -> Change:
    """One verdict: a single slower contestant makes it slower, a single undecided one leaves it undecided."""
    verdicts = {comparison.verdict for comparison in comparisons}
    for verdict in ("slower", "undecided", "faster"):
        if verdict in verdicts:
            return verdict
    return "same"


def decide(ratio: Estimate, threshold: float) -> Change:
    """A change is decided when the whole interval is beyond the threshold, sameness when all of it is within."""
    upper, lower = 1 + threshold, 1 / (1 + threshold)
    if not ratio.has_interval:
        return "undecided"
    if ratio.low > upper:
        return "slower"
    if ratio.high < lower:
        return "faster"
    return "same" if ratio.low >= lower and ratio.high <= upper else "undecided"


def _by_contestant(records: Sequence[Record]) -> Mapping[tuple[object, ...], list[Record]]:
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        trial = record.trial
        if trial.instrument in ("time", "memory"):
            groups.setdefault((*trial.workload, trial.implementation, trial.instrument), []).append(record)
    return groups


def _compare(base: Sequence[Record], head: Sequence[Record], threshold: float, confidence: float) -> Comparison | None:
    from harness.tables import observe  # and with it pandas, which who only decides has no use for

    trial = base[0].trial
    try:
        ratio = independent_ratio(observe(head, TOTAL), observe(base, TOTAL), confidence)
    except ValueError:  # one side has no figure, or its memory did not grow
        return None
    return Comparison(
        suite=trial.suite,
        implementation=trial.implementation,
        case=trial.case.label,
        device=trial.device,
        dtype=trial.dtype,
        threads=trial.threads,
        instrument=trial.instrument,
        ratio=ratio,
        verdict=decide(ratio, threshold),
    )
