"""What a run has measured so far, and so which contestants of a further round are still worth their time."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import Record
from harness.statistics.stopping import StoppingRule
from harness.trials import Trial
from harness.worker.orders import Settings


class Standings:
    """Takes records as they come.

    :param earlier: records of the same run from before it was interrupted.
    """

    def __init__(self, settings: Settings, earlier: Iterable[Record] = ()) -> None:
        self._settings = settings
        self._rule = StoppingRule(settings.precision, fewest_blocks=1, fewest_rounds=settings.fewest_rounds)
        self._keys: set[str] = set()
        self._failed: set[tuple[object, ...]] = set()
        self._durations_ns: dict[tuple[object, ...], dict[tuple[int, int], float]] = {}
        for record in earlier:
            self.take(record)

    def take(self, record: Record) -> None:
        trial = record.trial
        self._keys.add(trial.key)
        if trial.instrument != "time":
            return
        if record.status != "ok":
            self._failed.add(_contestant(trial))
        durations_ns = self._durations_ns.setdefault(_contestant(trial), {})
        for sample in record.measured:
            durations_ns[trial.round, sample.block] = sum(sample.values.values())

    def has(self, trial: Trial) -> bool:
        return trial.key in self._keys

    def left(self, contest: tuple[Trial, ...]) -> tuple[Trial, ...]:
        """Those of a contest that should run: none that has failed before, and none at all once all are precise.

        Ratios are taken within blocks, so that a contestant which needs more rounds needs the others beside it.
        """
        able = tuple(trial for trial in contest if _contestant(trial) not in self._failed)
        if contest[0].round < self._settings.fewest_rounds:
            return able
        return () if all(self._is_precise(trial) for trial in able) else able

    def _is_precise(self, trial: Trial) -> bool:
        return self._rule.judge(self._durations_ns.get(_contestant(trial), {})).state == "precise"


def _contestant(trial: Trial) -> tuple[object, ...]:
    return (*trial.workload, trial.implementation)
