"""Trials that need no contest: peak memory, energy, probes, and the machine's ceilings."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records import Record, Sample
from harness.runner.contest import Entry
from harness.runner.outcome import Outcome, warmup_samples
from harness.runner.workers import Worker, WorkerPool


def run_single(entry: Entry, pool: WorkerPool, checked: bool) -> Record:
    """Run one trial of another instrument than the clock in a process of its own.

    :param checked: the run has found this contestant right on this workload already; otherwise it is checked first.
    """
    outcome = Outcome(entry.order.trial, entry.origin)
    worker = pool.start(entry.order)
    try:
        if entry.order.trial.instrument == "probe":
            _probe(entry, worker, outcome)
        else:
            _meter(entry, worker, outcome, checked)
    finally:
        worker.finish()
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


def _meter(entry: Entry, worker: Worker, outcome: Outcome, checked: bool) -> None:
    settings = entry.order.settings
    if checked:
        outcome.take(worker.ask("load", settings.prepare_timeout_s))
    else:
        outcome.take_check(worker.ask("prepare", settings.prepare_timeout_s), "before measuring")
    if not outcome.good:
        return
    instrument = entry.order.trial.instrument
    reply = worker.ask(instrument, settings.prepare_timeout_s + entry.call_timeout_s)
    if not outcome.take(reply):
        return
    if instrument == "memory":
        first, *later = reply["readings"]
        outcome.samples += warmup_samples([first])
        outcome.samples += [Sample(block, 1, dict(values)) for block, values in enumerate(later)]
    else:
        outcome.samples.append(Sample(0, reply["iterations"], dict(reply["values"])))
