"""Both sides of every case in fresh pairs of processes, round after round, for as long as something is undecided."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from harness.claims.observations import phase_value
from harness.contract import TOTAL
from harness.gate.deciding import Decision, SequentialRule
from harness.gate.engines import SIDES, Engines, SideName
from harness.notices import below_floor, floor_ns
from harness.records import Record
from harness.runner.contest import run_contest
from harness.runner.run import Progress
from harness.runner.single import run_single
from harness.runner.workers import Deadline
from harness.seeds import derive_seed
from harness.statistics import Estimate
from harness.trials import InstrumentName, Trial

# Memory comes in pages, of which every CPU may keep some to itself: less than this is not told apart
# (harness/instruments/memory.py).
LEAST_PEAK_BYTES = 2.0**20


@dataclass
class Series:
    """One comparison while it is measured.

    :ivar decision: set once, at the look that decided.
    :ivar left_out: why it is no comparison after all.
    """

    instrument: InstrumentName
    threshold: float
    values: dict[SideName, dict[tuple[int, int], float]] = field(default_factory=lambda: {"base": {}, "head": {}})
    floors_ns: list[float] = field(default_factory=list)
    decision: Decision | None = None
    left_out: str = ""

    @property
    def open(self) -> bool:
        return not self.left_out and (self.decision is None or self.decision.verdict == "undecided")

    def take(self, side: SideName, record: Record) -> None:
        if record.status != "ok":  # the instrument cannot be read here
            self.left_out = f"{record.status}: {record.reason}"
            return
        if self.instrument == "time":
            self.floors_ns.append(floor_ns([record]))
        values = {sample.block: phase_value(record, sample.values, TOTAL) for sample in record.measured}
        if self.instrument == "memory":
            values = {block: max(value, LEAST_PEAK_BYTES) for block, value in values.items()}
        if (
            self.instrument == "energy" and values
        ):  # each side's windows lie together and not in blocks with the other's
            values = {0: statistics.median(values.values())}
        for block, value in values.items():
            self.values[side][record.trial.round, block] = value

    def look(self, rule: SequentialRule, rounds: int) -> None:
        """Decide it if it can be decided."""
        if not self.open:
            return
        base, head = self.values["base"], self.values["head"]
        if self.floors_ns and max(self.median("base"), self.median("head")) < max(self.floors_ns):
            self.left_out = below_floor(max(self.floors_ns))
            return
        try:
            self.decision = rule.judge(head, base, rounds, self.threshold)
        except ValueError as error:  # no common block yet, or a cost of nothing
            self.decision = Decision(Estimate.without_interval(math.nan, 0), "undecided", 0)
            if set(base) & set(head):
                self.left_out = str(error)

    def median(self, side: SideName) -> float:
        return statistics.median(self.values[side].values()) if self.values[side] else math.nan


@dataclass
class Pairing:
    """One implementation on one case: the trial that both sides have, and what is compared.

    :ivar faults: the first record by side that was not right.
    """

    trial: Trial
    series: dict[InstrumentName, Series]
    faults: dict[SideName, Record] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return not self.faults and any(series.open for series in self.series.values())

    def wants(self, instrument: InstrumentName) -> bool:
        return instrument in self.series and self.series[instrument].open

    def take(self, record: Record) -> None:
        side: SideName = "base" if record.origin == "base" else "head"
        instrument = record.trial.instrument
        failed = record.status not in ("ok", "unavailable")
        if failed or (instrument == "time" and record.status != "ok"):
            self.faults.setdefault(side, record)
        elif instrument in self.series:
            self.series[instrument].take(side, record)


class Measuring:
    """:param rules: by instrument, with the same looks."""

    def __init__(
        self,
        pairings: Sequence[Pairing],
        rules: Mapping[InstrumentName, SequentialRule],
        engines: Engines,
        progress: Progress,
        deadline: Deadline,
        seed: int,
    ) -> None:
        self._pairings = pairings
        self._rules = rules
        self._looks = rules["time"].looks
        self._engines = engines
        self._progress = progress
        self._deadline = deadline
        self._seed = seed
        self._rng = np.random.default_rng(derive_seed(seed, "gate"))

    def run(self) -> bool:
        """Measure until all is decided, looked at for the last time, or the deadline; whether it came to an end."""
        for number in range(self._looks[-1]):
            going = [pairing for pairing in self._pairings if pairing.open]
            if not going:
                return True
            if number % self._engines.rounds_per_server == 0:
                self._engines.pool.new_server(derive_seed(self._seed, "server", number))
            for index in self._rng.permutation(len(going)):
                if self._deadline.passed:
                    self._look(going, number + 1)
                    return False
                self._hold(going[index], number, len(going))
            if number + 1 in self._looks:
                self._look(going, number + 1)
        return True

    def _look(self, pairings: Iterable[Pairing], rounds: int) -> None:
        for pairing in [each for each in pairings if each.open]:
            for series in pairing.series.values():
                series.look(self._rules[series.instrument], rounds)
            if not pairing.open:
                self._progress.advance(self._looks[-1] - rounds)

    def _hold(self, pairing: Pairing, number: int, going: int) -> None:
        """One round of one pairing: a process for each side, beside each other in blocks."""
        trial = dataclasses.replace(pairing.trial, round=number)
        what = f"{trial.suite}/{trial.implementation} {trial.case.label} (round {number + 1}, {going} undecided)"
        if pairing.wants("time") or pairing.wants("memory"):
            memory = dataclasses.replace(trial, instrument="memory") if pairing.wants("memory") else None
            entries = [self._engines.entry(side, trial, memory) for side in self._shuffled()]
            on_step = partial(self._say, what)
            for record in run_contest(entries, self._engines.pool, self._engines.circumstances(trial), on_step):
                pairing.take(record)
        if pairing.wants("energy") and not pairing.faults:
            alone = dataclasses.replace(trial, instrument="energy")
            for side in self._shuffled():
                self._say(what, f"energy of {side}")
                pairing.take(run_single(self._engines.entry(side, alone), self._engines.pool))
        self._progress.advance(self._looks[-1] - number if pairing.faults else 1)

    def _say(self, what: str, step: str) -> None:
        self._progress.step(f"{what}: {step}")

    def _shuffled(self) -> list[SideName]:
        return [SIDES[index] for index in self._rng.permutation(len(SIDES))]
