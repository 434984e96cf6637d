"""A contest: all contestants of one workload, timed side by side in blocks.

Each contestant lives in its own process. They are prepared at the same time, which is not timed, and then measured one
at a time: in every block each gives one sample, in random order, so that a drift of the machine hits all alike. Their
peak memory is read last, in the same processes: neighbours do not disturb it, and nothing is compiled a second time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.records import Record, Sample
from harness.runner.outcome import Outcome, warmup_samples
from harness.runner.workers import Worker, WorkerPool
from harness.seeds import derive_seed
from harness.trials import Trial
from harness.worker.orders import Order

# Idle OpenMP threads spin for a moment after a parallel region; the next contestant must not share the CPU with them.
SETTLE_S = 0.003


@dataclass(frozen=True)
class Entry:
    """A contestant: its order, where it came from and how long one call of it may take.

    :param memory: the trial of its peak memory on the same workload, if that is wanted as well.
    """

    order: Order
    origin: str
    call_timeout_s: float
    memory: Trial | None = None


class _Contestant:
    def __init__(self, entry: Entry, worker: Worker) -> None:
        self.entry = entry
        self.worker = worker
        self.outcome = Outcome(entry.order.trial, entry.origin)
        self.memory: Outcome | None = None
        self.sampled_s = 0.0

    def prepare(self) -> None:
        reply = self.worker.ask("prepare", self.entry.order.settings.prepare_timeout_s)
        self.outcome.take_check(reply, "before timing")

    def calibrate(self) -> None:
        reply = self.worker.ask("calibrate", self.entry.order.settings.prepare_timeout_s)
        if self.outcome.take(reply):
            self.outcome.samples += warmup_samples(reply["warmup"])

    def sample(self, block: int) -> None:
        reply = self.worker.ask("sample", self.entry.call_timeout_s)
        if self.outcome.take(reply):
            self.sampled_s += reply["elapsed_s"]
            self.outcome.samples.append(Sample(block, reply["iterations"], dict(reply["values"])))

    def verify(self) -> None:
        reply = self.worker.ask("verify", self.entry.order.settings.prepare_timeout_s)
        self.outcome.take_check(reply, "after timing, on inputs not seen before")

    def measure_memory(self) -> None:
        if self.entry.memory is not None:
            self.memory = Outcome(self.entry.memory, self.entry.origin)
            take_memory(self.memory, self.worker, self.entry)

    @property
    def sits_out(self) -> bool:
        """A slow contestant has given enough samples once its share of the time is used up."""
        settings = self.entry.order.settings
        measured = sum(not sample.warmup for sample in self.outcome.samples)
        return measured >= settings.fewest_blocks and self.sampled_s >= settings.contestant_s


def run_contest(
    entries: Sequence[Entry], pool: WorkerPool, parallel: int, on_step: Callable[[str], None]
) -> list[Record]:
    """Time the entries, which share one workload, against each other; one record each, whatever happens to them.

    A contestant that fails or is wrong has no record of its memory.
    """
    contestants = [_Contestant(entry, pool.start(entry.order)) for entry in entries]
    try:
        on_step("check")
        _each(contestants, _Contestant.prepare, parallel)
        for contestant in contestants:
            if contestant.outcome.good:
                on_step(f"warm up {contestant.entry.order.trial.implementation}")
                contestant.calibrate()
        on_step("time")
        _blocks(contestants)
        on_step("check again")
        _each(contestants, _Contestant.verify, parallel)
        on_step("peak memory")
        _each(contestants, _Contestant.measure_memory, parallel)
    finally:
        for contestant in contestants:
            contestant.worker.finish()
    outcomes = [outcome for contestant in contestants for outcome in (contestant.outcome, contestant.memory) if outcome]
    return [outcome.record() for outcome in outcomes]


def take_memory(outcome: Outcome, worker: Worker, entry: Entry) -> None:
    """Have a worker that has loaded the implementation read its peak memory."""
    reply = worker.ask("memory", entry.order.settings.prepare_timeout_s + entry.call_timeout_s)
    if outcome.take(reply):
        outcome.samples += [Sample(block, 1, dict(values)) for block, values in enumerate(reply["readings"])]


def _blocks(contestants: Sequence[_Contestant]) -> None:
    if not contestants:
        return
    order = contestants[0].entry.order
    trial = order.trial
    rng = np.random.default_rng(derive_seed(trial.seed, "order", *trial.workload, trial.round))
    for block in range(order.settings.blocks):
        for index in rng.permutation(len(contestants)):
            contestant = contestants[index]
            if contestant.outcome.good and not contestant.sits_out:
                if trial.threads > 1:
                    time.sleep(SETTLE_S)
                contestant.sample(block)


def _each(contestants: Sequence[_Contestant], step: Callable[[_Contestant], None], parallel: int) -> None:
    good = [contestant for contestant in contestants if contestant.outcome.good]
    with ThreadPoolExecutor(max_workers=max(1, parallel)) as executor:
        list(executor.map(step, good))
