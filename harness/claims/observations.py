"""Looking up what a claim's evidence needs among the records of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from harness.contract import TOTAL, Threads
from harness.needs import Need
from harness.notices import below_floor, floor_ns
from harness.records import Record
from harness.statistics import Observations

_Key = tuple[object, ...]


class NotMeasured(Exception):
    """The run holds no figure for this; the message says why."""


class Measurements:
    """The records of a run, found by what was measured."""

    def __init__(self, records: Iterable[Record], environment: Mapping[str, Any]) -> None:
        self.environment = environment
        self._cpu_count = int(environment.get("machine", {}).get("cpus", 1))
        self._by_key: dict[_Key, list[Record]] = {}
        for record in records:
            trial = record.trial
            key = (*trial.workload, trial.implementation, trial.instrument, trial.probe)
            if trial.instrument == "probe":
                key = (trial.suite, trial.case, trial.implementation, trial.probe)
            self._by_key.setdefault(key, []).append(record)

    def thread_count(self, threads: Threads) -> int:
        """A number of threads, ``all`` being the CPUs of the machine that was measured."""
        return self._cpu_count if threads == "all" else threads

    def costs(self, suite: str, need: Need, phase: str) -> Observations:
        """The measured values of one phase by round and block.

        :raises NotMeasured: the run has none.
        """
        records = self._good(suite, need)
        observations = {}
        for record in records:
            for sample in record.measured:
                observations[record.trial.round, sample.block] = phase_value(record, sample.values, phase)
        if not observations:
            raise NotMeasured(f"{need.implementation} gave no samples")
        if need.instrument == "time" and median(observations.values()) < (floor := floor_ns(records)):
            raise NotMeasured(f"{need.implementation}: {below_floor(floor)}")
        return observations

    def disturbed(self, suite: str, needs: Iterable[Need]) -> tuple[int, int]:
        """During how many of the measured samples others used the CPUs, and how many samples there are.

        :raises NotMeasured: the run has none.
        """
        samples = [sample for need in needs for record in self._good(suite, need) for sample in record.measured]
        return sum("disturbed" in sample.flags for sample in samples), len(samples)

    def scores(self, suite: str, need: Need, value: str) -> list[float]:
        """What a probe returned under ``value``.

        :raises NotMeasured: the run has none.
        """
        series = [
            sample.values[value]
            for record in self._good(suite, need)
            for sample in record.measured
            if value in sample.values
        ]
        if not series:
            raise NotMeasured(f"probe {need.probe} returned no {value}")
        return series

    def _good(self, suite: str, need: Need) -> list[Record]:
        records = self._by_key.get(self._key(suite, need), [])
        good = [record for record in records if record.status == "ok"]
        if good:
            return good
        if records:
            subject = need.implementation or need.probe
            raise NotMeasured(f"{subject}: {records[0].reason or records[0].status}")
        if need.device == "cuda" and not self.environment.get("gpus"):
            raise NotMeasured("no GPU here")
        if need.device not in self.environment.get("devices", [need.device]):
            raise NotMeasured(f"the run left out {need.device}")
        if need.instrument not in self.environment.get("instruments", [need.instrument]):
            raise NotMeasured(f"the run left out {need.instrument}")
        raise NotMeasured("not part of this run")

    def _key(self, suite: str, need: Need) -> _Key:
        if need.instrument == "probe":
            return (suite, need.case, need.implementation, need.probe)
        workload = (suite, need.case, need.device, need.dtype, self.thread_count(need.threads), need.until)
        return (*workload, need.implementation, need.instrument, need.probe)


def phase_value(record: Record, values: Mapping[str, float], phase: str) -> float:
    """The value of a phase; the total is the sum of the phases' times and energies, and their largest memory.

    :raises NotMeasured: there is no such phase.
    """
    if phase in values:
        return values[phase]
    if phase == TOTAL and values:
        return max(values.values()) if record.trial.instrument == "memory" else sum(values.values())
    raise NotMeasured(f"{record.trial.implementation} has no phase {phase}")
