"""From declared evidence and measurements to an estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from harness.claims.observations import Measurements, NotMeasured
from harness.contract import (
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
    Scalar,
    Suite,
    Work,
)
from harness.contract.evidence import DISPATCHES, Where
from harness.needs import at_value, need_at, need_of_probe, probe_at_value
from harness.statistics import (
    Estimate,
    Observations,
    constant_overhead,
    cost_difference,
    cost_slope,
    crossover,
    growth_exponent,
    growth_of_ratio,
    independent_ratio,
    mean_estimate,
    mean_ratio,
    median_estimate,
    paired_differences,
    paired_ratio,
    prediction_error,
    ratio_trend,
)

ITEMSIZE = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


def estimate_evidence(suite: Suite, evidence: Evidence, found: Measurements, confidence: float) -> Estimate:
    """The estimate that ``evidence`` asks for.

    :raises NotMeasured: the run lacks what it needs; the message says what and why.
    """
    name = suite.name
    match evidence:
        case CostRatio(numerator, denominator, where, instrument, denominator_phase):
            phases = (where.phase, denominator_phase or where.phase)
            sides = [
                found.costs(name, need_at(side, where, instrument), phase)
                for side, phase in zip((numerator, denominator), phases, strict=True)
            ]
            return _or_not_measured(lambda: paired_ratio(sides[0], sides[1], confidence))
        case MeanRatio(numerator, denominator, wheres, instrument):
            pairs = [
                (
                    found.costs(name, need_at(numerator, where, instrument), where.phase),
                    found.costs(name, need_at(denominator, where, instrument), where.phase),
                )
                for where in wheres
            ]
            return _or_not_measured(lambda: mean_ratio(pairs, confidence))
        case CheapestRatio(implementation, others, where, instrument):
            own = found.costs(name, need_at(implementation, where, instrument), where.phase)
            theirs = [found.costs(name, need_at(other, where, instrument), where.phase) for other in others]
            return _or_not_measured(lambda: largest_ratio(own, theirs, confidence))
        case ModelError():
            return model_error(suite, evidence, found, confidence)
        case CostDifference(minuend, subtrahend, where, instrument):
            sides = [found.costs(name, need_at(side, where, instrument), where.phase) for side in (minuend, subtrahend)]
            return _or_not_measured(lambda: cost_difference(sides[0], sides[1], confidence))
        case CaseRatio(implementation, numerator, denominator, instrument, per_thread):
            sides = [
                found.costs(name, need_at(implementation, where, instrument), where.phase)
                for where in (numerator, denominator)
            ]
            ratio = _or_not_measured(lambda: independent_ratio(sides[0], sides[1], confidence))
            factor = found.thread_count(numerator.threads) / found.thread_count(denominator.threads)
            return ratio.scaled(factor) if per_thread else ratio
        case CostGrowth(implementation, axis, values, where, instrument, empty):
            costs = {
                value: found.costs(name, need_at(implementation, at_value(where, axis, value), instrument), where.phase)
                for value in (values if empty is None else (empty, *values))
            }
            if empty is not None:
                least = DISPATCHES * median(costs.pop(empty).values())
                costs = {value: each for value, each in costs.items() if median(each.values()) >= least}
            return _or_not_measured(lambda: growth_exponent(costs, confidence))
        case CostSlope(implementation):
            above = _along(found, name, implementation, evidence)
            return _or_not_measured(lambda: cost_slope(above, confidence))
        case RatioGrowth(numerator, denominator) | RatioTrend(numerator, denominator):
            other = evidence.denominator_phase if isinstance(evidence, RatioGrowth) else ""
            above = _along(found, name, numerator, evidence)
            below = _along(found, name, denominator, evidence, other)
            of_ratios = growth_of_ratio if isinstance(evidence, RatioGrowth) else ratio_trend
            return _or_not_measured(lambda: of_ratios(above, below, confidence))
        case ConstantOverhead(minuend, subtrahend, _, _, _, figure, share):
            above, below = (_along(found, name, side, evidence) for side in (minuend, subtrahend))
            return _or_not_measured(lambda: constant_overhead(above, below, figure, share, confidence))
        case Crossover(numerator, denominator, axis, values, where, instrument):
            both = [
                [
                    found.costs(name, need_at(side, at_value(where, axis, value), instrument), where.phase)
                    for value in values
                ]
                for side in (numerator, denominator)
            ]
            return _or_not_measured(lambda: crossover(values, both[0], both[1], confidence))
        case CeilingShare(implementation, where, ceiling):
            costs_ns = found.costs(name, need_at(implementation, where, "time"), where.phase)
            duration = median_estimate(costs_ns, confidence).scaled(1e-9)
            return share_of_ceiling(suite, where, ceiling, duration, found.environment)
        case ProbeValue(_, value):
            return mean_estimate(found.scores(name, need_of_probe(evidence), value), confidence)
        case ProbeRatio(probe, probes):
            means = [
                mean_estimate(found.scores(name, need_of_probe(each), each.value), confidence).value
                for each in (probe, *probes)
            ]
            if not min(means[1:]) > 0:
                raise NotMeasured(f"a ratio of {probe.value} needs positive values, not {min(means[1:])}")
            return Estimate.exact(means[0] / min(means[1:]))
        case ProbeDifference(minuend, subtrahend, test_share):
            scores = [found.scores(name, need_of_probe(side), side.value) for side in (minuend, subtrahend)]
            return _or_not_measured(lambda: paired_differences(scores[0], scores[1], confidence, test_share))
        case ProbeGrowth(probe, axis, values):
            counts = {
                value: dict(
                    enumerate_scores(found.scores(name, need_of_probe(probe_at_value(probe, axis, value)), probe.value))
                )
                for value in values
            }
            return _or_not_measured(lambda: growth_exponent(counts, confidence))


def _along(
    found: Measurements,
    suite: str,
    implementation: str,
    evidence: CostSlope | RatioGrowth | RatioTrend | ConstantOverhead,
    phase: str = "",
) -> dict[float, Observations]:
    """Costs of one implementation at every value of the axis, of the evidence's phase unless another is given."""
    needs = {
        value: need_at(implementation, at_value(evidence.where, evidence.axis, value), evidence.instrument)
        for value in evidence.values
    }
    return {value: found.costs(suite, need, phase or evidence.where.phase) for value, need in needs.items()}


def largest_ratio(own: Observations, others: Sequence[Observations], confidence: float) -> Estimate:
    """The ratio with the one of ``others`` that it is largest with.

    :raises ValueError: see :func:`paired_ratio`.
    """
    return max((paired_ratio(own, other, confidence) for other in others), key=lambda ratio: ratio.value)


def model_error(suite: Suite, evidence: ModelError, found: Measurements, confidence: float) -> Estimate:
    """The error of a cost model at sizes that its constants were not fitted to.

    :raises NotMeasured: the suite has no such model, or the run lacks a cost.
    """
    if evidence.model not in suite.cost_models:
        raise NotMeasured(f"suite {suite.name} has no cost model {evidence.model}")
    counts = suite.cost_models[evidence.model]

    def point(implementation: str, where: Where, value: float) -> tuple[Sequence[float], Observations]:
        there = at_value(where, evidence.axis, value)
        costs = found.costs(suite.name, need_at(implementation, there, evidence.instrument), there.phase)
        return counts(implementation, **there.case), costs

    fitted = [
        point(each, where, value)
        for where in evidence.workloads
        for each in evidence.contestants
        for value in evidence.fitted
    ]
    held_out = [
        point(evidence.implementation, where, value) for where in evidence.workloads for value in evidence.held_out
    ]
    return _or_not_measured(lambda: prediction_error(fitted, held_out, confidence))


def enumerate_scores(scores: list[float]) -> list[tuple[tuple[int, int], float]]:
    return [((0, index), score) for index, score in enumerate(scores)]


def share_of_ceiling(
    suite: Suite, where: Where, ceiling: str, duration_s: Estimate, environment: Mapping[str, Any]
) -> Estimate:
    """Work per second over the measured ceiling.

    :raises NotMeasured: the suite has no work model, or the run no such ceiling.
    """
    work = work_of(suite, where.dtype, where.case)
    parts = [work[where.phase]] if where.phase in work else list(work.values())
    for measured in environment.get("ceilings", []):
        if (measured["device"], measured["dtype"]) == (where.device, where.dtype) and where.threads in (
            measured["threads"],
            "all",
        ):
            if ceiling == "matmul":
                least_s = sum(part.flops for part in parts) / measured["matmul_flops_per_s"]
            else:
                least_s = sum(part.bytes_moved for part in parts) / measured["copy_bytes_per_s"]
            return duration_s.inverted().scaled(least_s)
    raise NotMeasured(f"no ceiling was measured for {where.dtype} on {where.device}")


def work_of(suite: Suite, dtype: str, case: Mapping[str, Scalar]) -> Mapping[str, Work]:
    """The suite's work model of a case, by phase.

    :raises NotMeasured: it has none, or none for such a case: a stored one may be older than the suite.
    """
    if suite.work is None:
        raise NotMeasured(f"suite {suite.name} has no work model")
    try:
        return suite.work(ITEMSIZE[dtype], **case)
    except Exception as error:  # the suite's own code on values that it did not choose
        raise NotMeasured(f"the work model of {suite.name} does not know this case: {error!r}") from error


def _or_not_measured(compute: Any) -> Estimate:
    try:
        estimate: Estimate = compute()
    except ValueError as error:
        raise NotMeasured(str(error)) from error
    return estimate
