"""Verdicts from estimates and bands, and claims from records."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.claims import Verdict, evaluate_claims
from harness.claims.verdicts import combine, judge
from harness.contract import (
    Band,
    Case,
    CaseRatio,
    CeilingShare,
    Cell,
    CheapestRatio,
    Claim,
    ConstantOverhead,
    CostGrowth,
    CostRatio,
    CostSlope,
    Crossover,
    Evidence,
    MeanRatio,
    ModelError,
    Output,
    Probe,
    ProbeDifference,
    ProbeGrowth,
    ProbeRatio,
    ProbeValue,
    RatioGrowth,
    RatioTrend,
    Suite,
    Tolerance,
    Where,
    Work,
    grid,
)
from harness.records import Record, Sample
from harness.statistics import Estimate
from harness.trials import InstrumentName, Trial


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.0, 2.0, "reproduced"),
        (1.2, 1.8, "reproduced"),
        (0.5, 0.9, "refuted"),
        (2.1, 3.0, "refuted"),
        (0.9, 1.1, "inconclusive"),
        (0.5, 3.0, "inconclusive"),
        (math.nan, math.nan, "inconclusive"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, verdict: Verdict) -> None:
    assert judge(Estimate((low + high) / 2, low, high), Band(1.0, 2.0)) == verdict


def test_a_gap_between_holding_and_not_holding_is_inconclusive() -> None:
    holds, fails = Band(high=1.2), Band(low=1.6)
    assert judge(Estimate(1.0, 0.9, 1.1), holds, fails) == "reproduced"
    assert judge(Estimate(1.8, 1.7, 1.9), holds, fails) == "refuted"
    assert judge(Estimate(1.4, 1.3, 1.5), holds, fails) == "inconclusive"


def test_an_interval_inside_the_band_may_have_to_hold_a_value() -> None:
    band = Band(-0.02, 0.02)
    assert judge(Estimate(0.001, -0.001, 0.003), band, holding=0.0) == "reproduced"
    assert judge(Estimate(0.002, 0.001, 0.003), band, holding=0.0) == "inconclusive"
    assert judge(Estimate(0.03, 0.025, 0.04), band, holding=0.0) == "refuted"


@pytest.mark.parametrize(
    ("verdicts", "of_all", "of_any"),
    [
        (["reproduced", "reproduced"], "reproduced", "reproduced"),
        (["reproduced", "refuted"], "refuted", "reproduced"),
        (["reproduced", "inconclusive"], "inconclusive", "reproduced"),
        (["reproduced", "not tested"], "inconclusive", "reproduced"),
        (["refuted", "refuted"], "refuted", "refuted"),
        (["refuted", "not tested"], "refuted", "inconclusive"),
        (["not tested", "not tested"], "not tested", "not tested"),
    ],
)
def test_cells_combine(verdicts: list[Verdict], of_all: Verdict, of_any: Verdict) -> None:
    assert combine(verdicts, "all") == of_all
    assert combine(verdicts, "any") == of_any


SIZES = (10.0, 100.0, 1000.0)
MACHINE: dict[str, Any] = {
    "machine": {"cpus": 2},
    "gpus": [],
    "devices": ["cpu"],
    "profile": "quick",
    "ceilings": [
        {"device": "cpu", "dtype": "float32", "threads": 1, "matmul_flops_per_s": 1e10, "copy_bytes_per_s": 1e10}
    ],
}


def suite_with(*claims: Claim) -> Suite:
    return Suite(
        name="topic",
        title="A topic",
        cases=grid(n=list(SIZES)),
        make_inputs=lambda rng, n: {"x": rng.normal(size=int(n))},
        reference=lambda x: {"y": x},
        phases={"first": (Output("y", Tolerance()),), "second": ()},
        baseline="slow",
        axis="n",
        work=lambda itemsize, n: {"first": Work(flops=1e6, bytes_read=5e5, bytes_written=5e5)},
        cost_models={"line": lambda implementation, n: (1.0, n), "square": lambda implementation, n: (1.0, n * n)},
        probes={"counts": Probe(lambda rng, implementation, **case: {}, unit="1")},
        claims=claims,
    )


def timed(
    implementation: str,
    n: float,
    first_ns: float,
    second_ns: float = 0.0,
    instrument: InstrumentName = "time",
    threads: int = 1,
) -> Record:
    rng = np.random.default_rng(int(n))
    trial = Trial("topic", implementation, Case.of({"n": n}), "cpu", "float32", threads, instrument, 0, 1)
    samples = [
        Sample(block, 1, {"first": first_ns * drift, "second": second_ns * drift})
        for block, drift in enumerate(rng.lognormal(0, 0.02, size=20))
    ]
    warmup = Sample(-1, 1, {"first": 1e12, "second": 1e12}, warmup=True)
    return Record(trial, "ok", samples=(warmup, *samples))


def probed(implementation: str, n: float, **series: list[float]) -> Record:
    trial = Trial("topic", implementation, Case.of({"n": n}), "cpu", "float64", 1, "probe", 0, 1, probe="counts")
    length = max(len(values) for values in series.values())
    samples = [Sample(i, 1, {name: values[i] for name, values in series.items()}) for i in range(length)]
    return Record(trial, "ok", samples=tuple(samples))


DISPATCHED = {0.0: 2.0, 1.0: 50.0, 10.0: 60.0, 100.0: 4e2, 1_000.0: 4e3, 10_000.0: 4e4}
RECORDS = [
    *(timed("slow", n, 4.0 * n**2, 1.0) for n in SIZES),
    *(timed("fast", n, 100.0 * n, 1.0) for n in SIZES),
    timed("slow", 1000.0, 4e6 / 1.8, 1.0, threads=2),
    *(timed("slow", n, 64.0 * n, 8.0, "memory") for n in SIZES),
    *(probed("fast", n, visits=[3 * n], score=[0.0]) for n in SIZES),
    *(timed("dispatched", n, ns) for n, ns in DISPATCHED.items()),
    probed("a", 1.0, score=[0.8, 0.9, 0.85, 0.87]),
    probed("b", 1.0, score=[0.7, 0.8, 0.75, 0.77]),
]

AT = Where({"n": 1000.0}, phase="first")
REST = Where({}, phase="first")


@pytest.mark.parametrize(
    ("evidence", "band", "verdict", "estimate"),
    [
        (CostRatio("slow", "fast", AT), Band(low=30), "reproduced", 40.0),
        (CostRatio("slow", "fast", AT), Band(high=30), "refuted", 40.0),
        (CostRatio("slow", "fast", replace(AT, phase="total")), Band(39.5, 40.5), "reproduced", 40.0),
        (CostRatio("slow", "fast", replace(AT, phase="second")), Band(0.9, 1.1), "reproduced", 1.0),
        (CostRatio("fast", "fast", AT, denominator_phase="second"), Band(99_999, 100_001), "reproduced", 1e5),
        (
            CostRatio("fast", "fast", replace(AT, phase="second"), denominator_phase="first"),
            Band(0, 1),
            "reproduced",
            1e-5,
        ),
        (CheapestRatio("slow", ("fast", "slow"), AT), Band(low=30), "reproduced", 40.0),
        (CheapestRatio("fast", ("slow",), AT), Band(low=1.05), "refuted", 1 / 40),
        (
            ModelError("line", "slow", ("slow",), "n", (10.0, 1000.0), (100.0,), (REST,)),
            Band(high=0.2),
            "refuted",
            0.9,
        ),
        (CaseRatio("fast", AT, replace(AT, case={"n": 100.0})), Band(8, 12), "reproduced", 10.0),
        (CaseRatio("slow", AT, replace(AT, threads="all")), Band(1.7, 1.9), "reproduced", 1.8),
        (CaseRatio("slow", AT, replace(AT, threads="all"), per_thread=True), Band(0.85, 0.95), "reproduced", 0.9),
        (CostGrowth("slow", "n", SIZES, REST), Band(1.9, 2.1), "reproduced", 2.0),
        (CostGrowth("fast", "n", SIZES, REST), Band(1.9, 2.1), "refuted", 1.0),
        (CostSlope("fast", "n", SIZES, REST), Band(low=0.0), "reproduced", 100.0),
        (
            MeanRatio("slow", "fast", tuple(replace(AT, case={"n": n}) for n in SIZES)),
            Band(3.9, 4.1),
            "reproduced",
            4.0,
        ),
        (CostGrowth("slow", "n", SIZES, REST, "memory"), Band(0.9, 1.1), "reproduced", 1.0),
        (CostGrowth("dispatched", "n", (1.0, *SIZES, 1e4), REST, empty=0.0), Band(0.98, 1.02), "reproduced", 1.0),
        (CostGrowth("dispatched", "n", (1.0, *SIZES, 1e4), REST), Band(0.98, 1.02), "refuted", 0.75),
        (RatioGrowth("slow", "fast", "n", SIZES, REST), Band(0.9, 1.1), "reproduced", 1.0),
        (RatioGrowth("fast", "slow", "n", SIZES, REST), Band(low=0.0), "refuted", -1.0),
        (
            RatioGrowth("slow", "slow", "n", SIZES, REST, denominator_phase="second"),
            Band(1.99, 2.01),
            "reproduced",
            2.0,
        ),
        (Crossover("slow", "fast", "n", SIZES, REST), Band(high=10), "refuted", 45.8),
        (RatioTrend("slow", "fast", "n", SIZES, REST), Band(low=0.0), "reproduced", (40 - 0.4) / math.log2(100)),
        (ConstantOverhead("slow", "fast", "n", SIZES, REST, "slope"), Band(-1, 1), "refuted", 40.9),
        (CeilingShare("fast", AT), Band(low=0.5), "reproduced", 1.0),
        (CeilingShare("fast", AT, "copy"), Band(low=0.5), "reproduced", 1.0),
        (ProbeValue("counts", "visits", {"n": 10.0}, "fast"), Band(30, 30), "reproduced", 30.0),
        (ProbeValue("counts", "visits", {"n": 10.0}, "fast"), Band(31, 31), "refuted", 30.0),
        (
            ProbeRatio(
                ProbeValue("counts", "visits", {"n": 100.0}, "fast"),
                tuple(ProbeValue("counts", "visits", {"n": n}, "fast") for n in (1000.0, 10.0)),
            ),
            Band(10, 10),
            "reproduced",
            10.0,
        ),
        (ProbeGrowth(ProbeValue("counts", "visits", {}, "fast"), "n", SIZES), Band(0.95, 1.05), "reproduced", 1.0),
        (
            ProbeDifference(
                ProbeValue("counts", "score", {"n": 1.0}, "a"), ProbeValue("counts", "score", {"n": 1.0}, "b")
            ),
            Band(low=0.05),
            "reproduced",
            0.1,
        ),
    ],
)
def test_every_kind_of_evidence(evidence: Evidence, band: Band, verdict: Verdict, estimate: float) -> None:
    suite = suite_with(Claim("topic.1", "cost", "It is so.", "A paper", (Cell("here", evidence, band),)))
    (result,) = evaluate_claims([suite], RECORDS, MACHINE)
    assert result.verdict == verdict
    assert result.telling is not None
    assert result.telling.estimate is not None
    assert result.telling.estimate.value == pytest.approx(estimate, rel=0.1)


@pytest.mark.parametrize("undisturbed", [True, False])
def test_a_cell_may_ask_for_samples_that_nobody_disturbed(undisturbed: bool) -> None:
    noisy = []
    for record in RECORDS:
        first, *others = record.samples[1:] or record.samples
        flagged = replace(first, flags=("disturbed",))
        noisy.append(replace(record, samples=(flagged, *others)) if record.trial.implementation == "fast" else record)
    cell = Cell("here", CostRatio("slow", "fast", AT), Band(low=30), undisturbed=undisturbed)
    suite = suite_with(Claim("topic.1", "cost", "It is so.", "A paper", (cell,)))
    (result,) = evaluate_claims([suite], noisy, MACHINE)
    if undisturbed:
        assert (result.verdict, result.reason) == ("inconclusive", "others used the CPUs during 1 of 40 samples")
    else:
        assert result.verdict == "reproduced"
    assert evaluate_claims([suite], RECORDS, MACHINE)[0].verdict == "reproduced"


@pytest.mark.parametrize(
    ("evidence", "records", "environment", "reason"),
    [
        (CostRatio("slow", "fast", replace(AT, device="cuda")), RECORDS, MACHINE, "no GPU here"),
        (CostRatio("slow", "other", AT), RECORDS, MACHINE, "bakeoff run topic --profile full"),
        (CostRatio("slow", "other", AT), RECORDS, MACHINE | {"profile": "full"}, "not part of this run"),
        (
            CostRatio("slow", "fast", AT),
            [replace(record, status="unavailable", reason="package x is not installed") for record in RECORDS],
            MACHINE,
            "slow: package x is not installed",
        ),
        (ProbeValue("counts", "nothing", {"n": 10.0}, "fast"), RECORDS, MACHINE, "returned no nothing"),
        (CeilingShare("fast", AT), RECORDS, MACHINE | {"ceilings": []}, "no ceiling was measured"),
        (CostGrowth("slow", "n", SIZES[:2], REST), RECORDS, MACHINE, "three sizes"),
        (CostGrowth("dispatched", "n", (1.0, *SIZES), REST, empty=0.0), RECORDS, MACHINE, "three sizes"),
    ],
)
def test_what_was_not_measured_says_why(
    evidence: Evidence, records: list[Record], environment: dict[str, Any], reason: str
) -> None:
    suite = suite_with(Claim("topic.1", "cost", "It is so.", "A paper", (Cell("here", evidence, Band()),)))
    (result,) = evaluate_claims([suite], records, environment)
    assert result.verdict == "not tested"
    assert reason in result.reason
    assert result.to_json()["estimate"] is None


def test_a_model_of_the_right_shape_predicts() -> None:
    evidence = ModelError("square", "slow", ("slow", "fast"), "n", (10.0, 1000.0), (100.0,), (REST,))
    own = replace(evidence, contestants=("slow",))
    claims = [
        Claim(f"topic.{number}", "cost", "It is so.", "A paper", (Cell("here", each, Band(high=0.2)),))
        for number, each in enumerate((own, evidence, replace(own, model="cube")))
    ]
    right, shared, unknown = evaluate_claims([suite_with(*claims)], RECORDS, MACHINE)
    assert right.verdict == "reproduced"
    assert shared.verdict == "refuted"  # the other's cost grows with n, and one set of constants cannot be both's
    assert "has no cost model cube" in unknown.reason


@pytest.mark.parametrize(("profile", "verdict"), [("quick", "reproduced"), ("full", "inconclusive")])
def test_a_cell_of_the_full_profile_does_not_count_in_a_quick_run(profile: str, verdict: Verdict) -> None:
    cells = (
        Cell("small", ProbeValue("counts", "visits", {"n": 10.0}, "fast"), Band(30, 30)),
        Cell("huge", ProbeValue("counts", "visits", {"n": 1e6}, "fast"), Band(3e6, 3e6), profile="full"),
    )
    suite = suite_with(Claim("topic.1", "count", "It is so.", "A paper", cells, profile="quick"))
    (result,) = evaluate_claims([suite], RECORDS, MACHINE | {"profile": profile})
    assert result.scope == ("rests on 1 of 2 workloads, the quick profile's" if profile == "quick" else "")
    assert result.verdict == verdict


def test_sameness_needs_an_equivalence_test() -> None:
    """The 90 % interval is inside a margin that the 95 % interval just leaves."""
    score_a, score_b = [0.02, -0.01, 0.03, 0.0, 0.015], [0.0] * 5
    records = [probed("a", 1.0, score=score_a), probed("b", 1.0, score=score_b)]
    evidence = ProbeDifference(
        ProbeValue("counts", "score", {"n": 1.0}, "a"), ProbeValue("counts", "score", {"n": 1.0}, "b")
    )
    band = Band(-0.028, 0.028)
    claims = (
        Claim("topic.1", "result", "Same.", "A paper", (Cell("here", evidence, band, equivalence=True),)),
        Claim("topic.2", "result", "Same.", "A paper", (Cell("here", evidence, band),)),
    )
    strict, plain = evaluate_claims([suite_with(*claims)], records, MACHINE)
    assert strict.verdict == "reproduced"
    assert plain.verdict == "inconclusive"


def test_a_claim_needs_cells_or_a_reason() -> None:
    with pytest.raises(ValueError, match="neither cells nor a reason"):
        Claim("topic.1", "cost", "It is so.", "A paper")
    suite = suite_with(Claim("topic.1", "cost", "It is so.", "A paper", not_tested="needs two GPUs"))
    (result,) = evaluate_claims([suite], RECORDS, MACHINE)
    assert (result.verdict, result.reason) == ("not tested", "needs two GPUs")
