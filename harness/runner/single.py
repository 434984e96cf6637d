"""Trials that need no contest: peak memory, energy, probes, and the machine's ceilings."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records import Record, Sample
from harness.runner.contest import Entry, take_memory
from harness.runner.outcome import Outcome
from harness.runner.workers import Worker, WorkerPool


def run_single(entry: Entry, pool: WorkerPool) -> Record:
    """Run one trial of another instrument than the clock in a process of its own; an answer is checked first."""
    outcome = Outcome(entry.order.trial, entry.origin)
    worker = pool.start(entry.order)
    try:
        if entry.order.trial.instrument == "probe":
            _probe(entry, worker, outcome)
        else:
            _meter(entry, worker, outcome)
    finally:
        outcome.flags += worker.finish()
    return outcome.record()


def run_checks(entries: Sequence[Entry], pool: WorkerPool) -> list[Record]:
    """Only check the answers of one implementation, one case after another; the records have no samples.

    One worker serves all cases; where a case ends it, the next case gets a new one.
    """
    records = []
    worker: Worker | None = None
    for entry in entries:
        if worker is None or worker.ended:
            worker = pool.start(entry.order)
        outcome = Outcome(entry.order.trial, entry.origin)
        timeout_s = entry.order.settings.prepare_timeout_s
        outcome.take_check(worker.ask("check", timeout_s, trial=entry.order.trial.to_json()), "on fresh inputs")
        records.append(outcome.record())
    if worker is not None:
        worker.finish()
    return records


def _probe(entry: Entry, worker: Worker, outcome: Outcome) -> None:
    reply = worker.ask("probe", entry.call_timeout_s)
    if not outcome.take(reply):
        return
    series = reply["values"]
    for index in range(max((len(values) for values in series.values()), default=0)):
        present = {name: values[index] for name, values in series.items() if index < len(values)}
        outcome.samples.append(Sample(block=index, iterations=1, values=present))


def _meter(entry: Entry, worker: Worker, outcome: Outcome) -> None:
    settings = entry.order.settings
    if not outcome.take_check(worker.ask("prepare", settings.prepare_timeout_s), "before measuring"):
        return
    if entry.order.trial.instrument == "memory":
        take_memory(outcome, worker, entry)
        return
    # The call is run to settle and through the windows, the last of which may begin just before the time is over.
    reply = worker.ask("energy", settings.prepare_timeout_s + 3 * entry.call_timeout_s)
    if not outcome.take(reply):
        return
    outcome.samples += [
        Sample(
            block,
            window["iterations"],
            dict(window["values"]),
            flags=tuple(window["flags"]),
            readings=dict(window["readings"]),
        )
        for block, window in enumerate(reply["windows"])
    ]
    outcome.take_check(worker.ask("verify", settings.prepare_timeout_s), "after measuring, on inputs not seen before")
