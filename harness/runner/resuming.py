"""What of a plan is left to do when a run goes on, and why."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.fingerprint import KINDS
from harness.plan import Plan
from harness.records import Record
from harness.runner.rounds import Standings
from harness.trials import Trial
from harness.worker.orders import Settings

NOT_MEASURED = "not measured yet"
IN_PART = "its contest was stored only in part"
AVAILABLE = "it is available now"
UNKNOWN = "its record does not say what it depended on"

FingerprintOf = Callable[[Trial], Mapping[str, str]]


@dataclass(frozen=True)
class Remainder:
    """What is left of a plan.

    :param plan: what is to be run; contests are whole, since ratios are taken within their blocks.
    :param reasons: why, for every trial that is to be run.
    :param kept: the records that still hold.
    :param superseded: those that do not.
    """

    plan: Plan
    reasons: Mapping[Trial, str]
    kept: tuple[Record, ...]
    superseded: tuple[Record, ...]


def remainder(plan: Plan, records: Sequence[Record], fingerprint: FingerprintOf, settings: Settings) -> Remainder:
    """Compare a plan with what a run has stored.

    A record holds while the code, the parameters, the environment and the seed that it depended on are those of now. A
    contest of which one trial must be run is run whole, with the peak memory that is read in its processes.
    """
    whole, torn = _whole_and_torn(records)
    stored = _by_identity(whole)
    why = {trial: _reason(trial, stored, torn, fingerprint) for trial in plan.trials}
    singles = {trial for trial in plan.singles if why[trial]}
    contests: list[tuple[Trial, ...]] = []
    timed: set[Trial] = set()
    standings = Standings(settings)
    for contest in plan.contests:
        left = standings.left(contest)
        due = [trial for trial in left if why[trial]]
        if due:
            contests.append(contest)
            beside = f"it is timed beside {due[0].implementation}, which is to be measured"
            for trial in left:
                why[trial] = why[trial] or beside
            timed.update(left)
            singles |= {memory for trial in left if (memory := _memory_of(trial)) in plan.singles}
        else:
            for trial in left:
                standings.take(stored[_identity(trial)])
    for trial in singles:
        why[trial] = why[trial] or "it is read in the process of a contestant that is to be measured"
    skipped = tuple(
        skip for skip in plan.skipped if _reason(skip.trial, stored, torn, fingerprint) not in ("", AVAILABLE)
    )
    again = {_identity(trial) for trial in timed | singles} | {_identity(skip.trial) for skip in skipped}
    kept = {identity: record for identity, record in stored.items() if identity not in again}
    held = {id(record) for record in kept.values()}
    return Remainder(
        plan=Plan(tuple(contests), tuple(trial for trial in plan.singles if trial in singles), skipped),
        reasons={trial: why[trial] for trial in plan.trials if trial in timed | singles},
        kept=tuple(kept.values()),
        superseded=tuple(record for record in records if id(record) not in held),
    )


def _reason(trial: Trial, stored: Mapping[str, Record], torn: set[str], fingerprint: FingerprintOf) -> str:
    record = stored.get(_identity(trial))
    if record is None:
        return IN_PART if _identity(trial) in torn else NOT_MEASURED
    if not record.fingerprint:
        return UNKNOWN
    now = fingerprint(trial)
    changed = [kind for kind in KINDS if record.fingerprint.get(kind) != now[kind]]
    if changed:
        return f"changed since: {', '.join(changed)}"
    return AVAILABLE if record.status == "unavailable" else ""


def _whole_and_torn(records: Sequence[Record]) -> tuple[list[Record], set[str]]:
    """The records of batches that were stored whole, and the identities of the others' trials."""
    together = Counter(record.batch for record in records)
    whole = [record for record in records if not record.batch or together[record.batch] >= record.batch_size]
    held = {id(record) for record in whole}
    return whole, {_identity(record.trial) for record in records if id(record) not in held}


def _by_identity(records: Iterable[Record]) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in records:
        found.setdefault(_identity(record.trial), record)
    return found


def _identity(trial: Trial) -> str:
    """The trial's key whatever the seed, which is compared by itself."""
    return dataclasses.replace(trial, seed=0).key


def _memory_of(trial: Trial) -> Trial:
    return dataclasses.replace(trial, instrument="memory")
