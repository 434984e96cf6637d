"""Which trials a claim's evidence rests on: the runner measures them, the verdict reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.contract import (
    Case,
    CaseRatio,
    CeilingShare,
    CheapestRatio,
    ConstantOverhead,
    CostDifference,
    CostGrowth,
    CostRatio,
    CostSlope,
    Crossover,
    Evidence,
    MeanRatio,
    ModelError,
    ProbeDifference,
    ProbeGrowth,
    ProbeRatio,
    ProbeValue,
    RatioGrowth,
    RatioTrend,
    Threads,
    Where,
)
from harness.trials import InstrumentName


@dataclass(frozen=True)
class Need:
    """One implementation in one workload under one instrument, in all its rounds."""

    implementation: str
    case: Case
    instrument: InstrumentName
    dtype: str = "float64"
    device: str = "cpu"
    threads: Threads = 1
    until: str = ""
    probe: str = ""


def needs_of(evidence: Evidence) -> Iterator[Need]:
    """The trials that ``evidence`` is computed from."""
    match evidence:
        case CostRatio(numerator, denominator, where, instrument, _):
            yield need_at(numerator, where, instrument)
            yield need_at(denominator, where, instrument)
        case MeanRatio(numerator, denominator, wheres, instrument):
            for where in wheres:
                yield need_at(numerator, where, instrument)
                yield need_at(denominator, where, instrument)
        case CheapestRatio(implementation, others, where, instrument):
            for each in (implementation, *others):
                yield need_at(each, where, instrument)
        case ModelError(_, implementation, contestants, axis, fitted, held_out, workloads, instrument):
            for where in workloads:
                for each, value in ((each, value) for each in contestants for value in fitted):
                    yield need_at(each, at_value(where, axis, value), instrument)
                for value in held_out:
                    yield need_at(implementation, at_value(where, axis, value), instrument)
        case CostDifference(minuend, subtrahend, where, instrument):
            yield need_at(minuend, where, instrument)
            yield need_at(subtrahend, where, instrument)
        case CaseRatio(implementation, numerator, denominator, instrument, _):
            yield need_at(implementation, numerator, instrument)
            yield need_at(implementation, denominator, instrument)
        case CostGrowth(implementation, axis, values, where, instrument, empty):
            for value in values if empty is None else (empty, *values):
                yield need_at(implementation, at_value(where, axis, value), instrument)
        case CostSlope(implementation, axis, values, where, instrument):
            for value in values:
                yield need_at(implementation, at_value(where, axis, value), instrument)
        case (
            Crossover(numerator, denominator, axis, values, where, instrument)
            | RatioGrowth(numerator, denominator, axis, values, where, instrument, _)
            | RatioTrend(numerator, denominator, axis, values, where, instrument)
            | ConstantOverhead(numerator, denominator, axis, values, where, _, _, instrument)
        ):
            for value in values:
                yield need_at(numerator, at_value(where, axis, value), instrument)
                yield need_at(denominator, at_value(where, axis, value), instrument)
        case CeilingShare(implementation, where, _):
            yield need_at(implementation, where, "time")
        case ProbeValue():
            yield need_of_probe(evidence)
        case ProbeRatio(probe, probes):
            for of_probe in (probe, *probes):
                yield need_of_probe(of_probe)
        case ProbeDifference(minuend, subtrahend, _):
            yield need_of_probe(minuend)
            yield need_of_probe(subtrahend)
        case ProbeGrowth(probe, axis, values):
            for value in values:
                yield need_of_probe(probe_at_value(probe, axis, value))


def need_at(implementation: str, where: Where, instrument: InstrumentName) -> Need:
    return Need(
        implementation=implementation,
        case=Case.of(where.case),
        instrument=instrument,
        dtype=where.dtype,
        device=where.device,
        threads=where.threads,
        until=where.until,
    )


def need_of_probe(probe: ProbeValue) -> Need:
    return Need(implementation=probe.implementation, case=Case.of(probe.case), instrument="probe", probe=probe.probe)


def at_value(where: Where, axis: str, value: float) -> Where:
    return replace(where, case={**where.case, axis: value})


def probe_at_value(probe: ProbeValue, axis: str, value: float) -> ProbeValue:
    return replace(probe, case={**probe.case, axis: value})
