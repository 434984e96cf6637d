"""Right before fast: what head computes, on every case and edge case, and whether base computed it before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness.gate.engines import Engines, SideName
from harness.gate.results import Fault
from harness.gate.sides import Name, Side
from harness.plan import Scope, checks_of
from harness.records import Record
from harness.runner.run import Progress
from harness.runner.single import run_checks
from harness.runner.workers import Deadline
from harness.trials import Trial


@dataclass
class Checked:
    """Implementations that are not right in head; see :class:`harness.gate.results.Findings`.

    :ivar faulty: those that there is no sense in measuring.
    """

    broken: list[Fault] = field(default_factory=list)
    hindered: list[Fault] = field(default_factory=list)
    broken_before: list[Fault] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    faulty: set[Name] = field(default_factory=set)

    def judge(self, head: Record, base: Record | None) -> None:
        """:param base: the same trial there; ``None`` if base never had it."""
        trial = head.trial
        name = (trial.suite, trial.implementation)
        case = f"{trial.case.label} {trial.dtype}"
        faults = self._list_for(head, base)
        if faults is not self.broken_before:  # which may be about one awkward case, and all others are right
            self.faulty.add(name)
        self._note(faults, Fault(*name, case, head.status, head.reason))

    def _list_for(self, head: Record, base: Record | None) -> list[Fault]:
        if base is not None and base.status != "ok":
            return self.broken_before
        return self.hindered if head.status == "unavailable" else self.broken

    @staticmethod
    def _note(faults: list[Fault], fault: Fault) -> None:
        """Once for each reason: one mistake commonly shows on every case."""
        if all((each.name, each.status, each.reason) != (fault.name, fault.status, fault.reason) for each in faults):
            faults.append(fault)


def check_head(
    base: Side,
    head: Side,
    common: Set[Name],
    new: Set[Name],
    scope: Scope,
    engines: Engines,
    progress: Progress,
    deadline: Deadline,
) -> Checked:
    """Check every implementation in head, and in base what is not right there; a budget does not end it early."""
    checked = Checked()
    trials, skipped = checks_of(head.only(common | new), scope)
    for skip in skipped:
        name = (skip.trial.suite, skip.trial.implementation)
        before = base.listings.get(name)
        if head.listings[name].reason and before is not None and before.available:
            checked.faulty.add(name)
            checked.hindered.append(Fault(*name, "", "unavailable", skip.reason))
        else:
            checked.left_out["/".join(name)] = skip.reason
    bad = [record for record in _check(trials, "head", engines, progress, deadline) if record.status != "ok"]
    known = _cases(base)
    again = [record.trial for record in bad if _key(record.trial) in known]
    before_too = {record.trial: record for record in _check(again, "base", engines, progress, deadline)}
    for record in bad:
        checked.judge(record, before_too.get(record.trial))
    return checked


def _check(
    trials: Sequence[Trial], side: SideName, engines: Engines, progress: Progress, deadline: Deadline
) -> Iterable[Record]:
    groups: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.suite, trial.implementation, trial.device), []).append(trial)

    def check(group: Sequence[Trial]) -> list[Record]:
        if deadline.stopped:
            return []
        progress.step(f"check {side}'s {group[0].suite}/{group[0].implementation}")
        return run_checks([engines.entry(side, trial) for trial in group], engines.pool)

    busy = max(1, engines.parallel)
    with engines.pool.side_by_side(busy), ThreadPoolExecutor(max_workers=busy) as executor:
        return [record for records in executor.map(check, groups.values()) for record in records]


def _cases(side: Side) -> set[tuple[object, ...]]:
    return {
        (suite.name, listing.name, case)
        for suite in side.catalogue.suites.values()
        for listing in side.catalogue.of(suite.name)
        for case in (*suite.cases, *suite.edge_cases)
        if listing.available
    }


def _key(trial: Trial) -> tuple[object, ...]:
    return trial.suite, trial.implementation, trial.case
