"""A contest: all contestants of one workload, timed side by side in blocks.

Each contestant lives in its own process. They are prepared at the same time, which is not timed, and then measured one
at a time: in every block each gives one sample, in random order, so that a drift of the machine hits all alike. Their
peak memory is read last, in the same processes: neighbours do not disturb it, and nothing is compiled a second time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from harness.records import ISOLATED, Record, Sample
from harness.runner.outcome import Outcome, warmup_samples
from harness.runner.workers import Worker, WorkerPool
from harness.seeds import derive_seed
from harness.statistics.stopping import State, StoppingRule
from harness.statistics.warmup import find_warmup
from harness.trials import Trial
from harness.worker.orders import Order

# Idle OpenMP threads spin for a moment after a parallel region; the next contestant must not share the CPU with them.
SETTLE_S = 0.003
FEWEST_ISOLATED = 3
# Between two samples the runner needs milliseconds; what takes longer is a machine or a program that was stopped.
GAP_S = 1.0
WARMUP_SAMPLES = 6
# An interval takes a millisecond, longer than many a sample.
BLOCKS_BETWEEN_JUDGEMENTS = 5
# What warming up and calibrating may take beyond one call.
CALIBRATION_S = 10.0


@dataclass(frozen=True)
class Entry:
    """A contestant: its order, where it came from and how long one call of it may take.

    :param memory: the trial of its peak memory on the same workload, if that is wanted as well.
    """

    order: Order
    origin: str
    call_timeout_s: float
    memory: Trial | None = None


@dataclass(frozen=True)
class Circumstances:
    """How a contest is held.

    :param parallel: how many contestants are prepared and checked at the same time.
    :param cpu: the CPU on which all of them are timed; ``None`` leaves them where they are.
    :param baseline: the implementation that others are compared with, which goes on for as long as they do.
    :param verify: whether the answers are checked again after timing.
    """

    parallel: int
    cpu: int | None = None
    baseline: str = ""
    verify: bool = True


class _Pauses:
    """Notices that time passed which nobody worked in, a suspended machine's included."""

    def __init__(self) -> None:
        self._last_s = _now_s()

    def passed(self, worked_s: float) -> bool:
        """Whether much more time than ``worked_s`` has passed since the last call."""
        before_s, self._last_s = self._last_s, _now_s()
        return self._last_s - before_s - worked_s > GAP_S

    def forget(self) -> None:
        self._last_s = _now_s()


class _Contestant:
    def __init__(self, entry: Entry, worker: Worker, pauses: _Pauses) -> None:
        self.entry = entry
        self.worker = worker
        self.outcome = Outcome(entry.order.trial, entry.origin)
        self.memory: Outcome | None = None
        self.sampled_s = 0.0
        self._pauses = pauses
        self._rule = StoppingRule(entry.order.settings.precision)
        self._state: State = "more"
        # By round, which is always this one, and block.
        self._durations_ns: dict[tuple[int, int], float] = {}

    @property
    def name(self) -> str:
        return self.entry.order.trial.implementation

    def prepare(self) -> None:
        """Load and check the answer; later rounds check it after timing, if at all (``Circumstances.verify``)."""
        timeout_s = self.entry.order.settings.prepare_timeout_s
        if self.entry.order.trial.round == 0:
            self.outcome.take_check(self.worker.ask("prepare", timeout_s), "before timing")
        else:
            self.outcome.take(self.worker.ask("load", timeout_s))

    def calibrate(self, cpu: int | None, longest_part_ns: float) -> None:
        """:param longest_part_ns: the baseline's; 0 before it has been calibrated."""
        timeout_s = self.entry.call_timeout_s + CALIBRATION_S
        reply = self.worker.ask("calibrate", timeout_s, cpu=cpu, longest_part_ns=longest_part_ns)
        self._pauses.forget()
        if self.outcome.take(reply):
            self.outcome.samples += warmup_samples(reply["warmup"])
            last = self.outcome.samples[-1]
            if sum(last.values.values()) * 1e-9 * WARMUP_SAMPLES <= self._settling_s:
                self._settle_in()
            self.sampled_s = 0.0

    @property
    def is_short(self) -> bool:
        """Whether a call is over before the warm-up is; what takes longer has nothing left of it in its samples."""
        order = self.entry.order
        call_s = sum(self.outcome.samples[-1].values.values()) * 1e-9 if self.outcome.samples else 0.0
        return order.trial.device == "cpu" and call_s <= order.settings.warmup_s

    def warm_up_again(self, cpu: int | None) -> None:
        """After :meth:`calibrate`, without settling in a second time."""
        timeout_s = self.entry.call_timeout_s + CALIBRATION_S
        part_ns = self.outcome.calibration["longest_part_ns"]
        reply = self.worker.ask("calibrate", timeout_s, cpu=cpu, longest_part_ns=part_ns)
        self._pauses.forget()
        if self.outcome.take(reply):
            self.outcome.samples += warmup_samples(reply["warmup"])

    def sample(self, block: int) -> None:
        if not self._take_sample(block):
            return
        self._durations_ns[0, block] = sum(self.outcome.samples[-1].values.values())
        if len(self._durations_ns) % BLOCKS_BETWEEN_JUDGEMENTS == 0:
            self._state = self._rule.judge(self._durations_ns).state

    def sample_alone(self) -> None:
        """Several samples in a row, for as long as a share of the contestant's time allows."""
        settings = self.entry.order.settings
        affordable = int(settings.contestant_s * len(self._durations_ns) / max(self.sampled_s, 1e-9))
        count = min(settings.isolated_samples, affordable)
        for _ in range(count if count >= FEWEST_ISOLATED else 0):
            if not self._take_sample(-1, (ISOLATED,)):
                return

    def verify(self) -> None:
        reply = self.worker.ask("verify", self.entry.order.settings.prepare_timeout_s)
        self.outcome.take_check(reply, "after timing, on inputs not seen before")

    def measure_memory(self) -> None:
        if self.entry.memory is not None:
            self.memory = Outcome(self.entry.memory, self.entry.origin)
            take_memory(self.memory, self.worker, self.entry)

    @property
    def precise(self) -> bool:
        return self._state == "precise"

    @property
    def out_of_time(self) -> bool:
        """Whether a slow contestant has used up its share of the time and given the fewest samples that are needed."""
        settings = self.entry.order.settings
        return len(self._durations_ns) >= settings.fewest_blocks and self.sampled_s >= settings.contestant_s

    def conclude(self) -> None:
        """Note why sampling ended."""
        self._state = self._rule.judge(self._durations_ns).state
        if self._state == "trend":
            self.outcome.stopped = "trend"
        elif self.precise:
            self.outcome.stopped = "precise"
        else:
            self.outcome.stopped = "budget" if self.out_of_time else "enough"

    @property
    def _settling_s(self) -> float:
        settings = self.entry.order.settings
        return settings.contestant_s * settings.settle_share

    def _settle_in(self) -> None:
        """Sample until the durations neither fall nor jump any more, as long as the settings allow."""
        begin_s = self.sampled_s
        durations_ns: list[float] = []
        while self.sampled_s - begin_s <= self._settling_s:
            if not self._take_sample(-1, warmup=True):
                return
            durations_ns.append(sum(self.outcome.samples[-1].values.values()))
            if len(durations_ns) % WARMUP_SAMPLES == 0:
                found = find_warmup(durations_ns[-2 * WARMUP_SAMPLES :])
                if found.steady and found.count == 0:
                    return
        if len(durations_ns) >= WARMUP_SAMPLES:
            self.outcome.flags.append("unsteady")

    def _take_sample(self, block: int, flags: tuple[str, ...] = (), warmup: bool = False) -> bool:
        reply = self.worker.ask("sample", self.entry.call_timeout_s)
        if not self.outcome.take(reply):
            self._pauses.forget()
            return False
        self.sampled_s += reply["elapsed_s"]
        gap = ("gap",) if self._pauses.passed(reply["elapsed_s"]) else ()
        return self.outcome.take_sample(reply, block, (*flags, *gap), warmup)


def run_contest(
    entries: Sequence[Entry], pool: WorkerPool, circumstances: Circumstances, on_step: Callable[[str], None]
) -> list[Record]:
    """Time the entries, which share one workload, against each other; one record each, whatever happens to them.

    A contestant that fails or is wrong has no record of its memory.
    """
    pauses = _Pauses()
    contestants = [_Contestant(entry, pool.start(entry.order), pauses) for entry in entries]

    def each(step: Callable[[_Contestant], None]) -> None:
        good = [contestant for contestant in contestants if contestant.outcome.good]
        busy = max(1, min(circumstances.parallel, len(good)))
        with pool.side_by_side(busy), ThreadPoolExecutor(max_workers=busy) as executor:
            list(executor.map(step, good))

    try:
        on_step("check")
        each(_Contestant.prepare)
        with pool.side_by_side(1):
            _calibrate(contestants, circumstances, on_step)
            on_step("time")
            with _kept_on(circumstances.cpu):
                _blocks(contestants, circumstances.baseline)
        if circumstances.verify:
            on_step("check again")
            each(_Contestant.verify)
        on_step("peak memory")
        each(_Contestant.measure_memory)
    finally:
        for contestant in contestants:
            contestant.worker.release()
        for contestant in contestants:
            contestant.outcome.flags += contestant.worker.finish()
    outcomes = [outcome for contestant in contestants for outcome in (contestant.outcome, contestant.memory) if outcome]
    return [outcome.record() for outcome in outcomes]


def _calibrate(
    contestants: Sequence[_Contestant], circumstances: Circumstances, on_step: Callable[[str], None]
) -> None:
    """The baseline first, whose sampling the others follow; in every second round it is warmed up last once more.

    Who is warmed up last is a little ahead when the blocks begin: by half a percent of the median over 24 of them.
    """
    longest_part_ns = 0.0
    for contestant in sorted(contestants, key=lambda each: each.name != circumstances.baseline):
        if contestant.outcome.good:
            on_step(f"warm up {contestant.name}")
            contestant.calibrate(circumstances.cpu, longest_part_ns)
            longest_part_ns = longest_part_ns or contestant.outcome.calibration.get("longest_part_ns", 0.0)
    if len(contestants) > 1 and contestants[0].entry.order.trial.round % 2:
        for contestant in contestants:
            if contestant.name == circumstances.baseline and contestant.outcome.good and contestant.is_short:
                on_step(f"warm up {contestant.name} again")
                contestant.warm_up_again(circumstances.cpu)


def take_memory(outcome: Outcome, worker: Worker, entry: Entry) -> None:
    """Have a worker that has loaded the implementation read its peak memory."""
    reply = worker.ask("memory", entry.order.settings.prepare_timeout_s + entry.call_timeout_s)
    if outcome.take(reply):
        outcome.samples += [Sample(block, 1, dict(values)) for block, values in enumerate(reply["readings"])]


def _blocks(contestants: Sequence[_Contestant], baseline: str) -> None:
    """Sample in blocks until every contestant is precise enough or out of time, then each one alone."""
    if not contestants:
        return
    order = contestants[0].entry.order
    trial = order.trial
    rng = np.random.default_rng(derive_seed(trial.seed, "order", *trial.workload, trial.round))
    for block in range(order.settings.blocks):
        going = _going_on(contestants, baseline)
        for index in rng.permutation(len(contestants)):
            if contestants[index] in going:
                _settle(trial)
                contestants[index].sample(block)
    for contestant in contestants:
        contestant.conclude()
    for index in rng.permutation(len(contestants)):
        if contestants[index].outcome.good:
            _settle(trial)
            contestants[index].sample_alone()


def _going_on(contestants: Sequence[_Contestant], baseline: str) -> list[_Contestant]:
    """Those that take part in the next block; the baseline does while any other does, since ratios are per block."""
    able = [contestant for contestant in contestants if contestant.outcome.good and not contestant.out_of_time]
    others = [contestant for contestant in able if not contestant.precise and contestant.name != baseline]
    return [
        contestant for contestant in able if not contestant.precise or (contestant.name == baseline and bool(others))
    ]


@contextmanager
def _kept_on(cpu: int | None) -> Iterator[None]:
    """Keep this thread on the contestants' CPU: another one would have to be woken for every answer, and then theirs.

    Between samples the CPU then does not fall asleep either.
    """
    if cpu is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _now_s() -> float:
    """Seconds of a clock that goes on while the machine is suspended, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _settle(trial: Trial) -> None:
    if trial.threads > 1:
        time.sleep(SETTLE_S)
