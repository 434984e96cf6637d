"""What becomes of the records of the two sides: values, faults and what is no comparison after all."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from harness.contract import Case
from harness.environment import usable_cpu_numbers
from harness.gate.checking import Checked
from harness.gate.deciding import LOOKS, SequentialRule
from harness.gate.engines import GATE, SIDES, SideName
from harness.gate.measuring import LEAST_PEAK_BYTES, Pairing, Series
from harness.gate.noise import measure_twice, noise_of
from harness.known.measure import KnownRatio
from harness.records import Record, Sample, Status
from harness.trials import InstrumentName, Trial

TRIAL = Trial("total", "plain", Case.of({"n": 10}), "cpu", "float32", 1, "time", 0, 7)
RULE = SequentialRule()


def a_record(
    side: SideName,
    values: Sequence[float],
    instrument: InstrumentName = "time",
    number: int = 0,
    status: Status = "ok",
    overhead_ns: float = 0.0,
) -> Record:
    trial = dataclasses.replace(TRIAL, instrument=instrument, round=number)
    samples = tuple(Sample(block, 1, {"call": value}) for block, value in enumerate(values))
    calibration = {"loop_overhead_ns": overhead_ns}
    return Record(trial, status, "because", side, samples if status == "ok" else (), calibration=calibration)


def a_pairing(*instruments: InstrumentName) -> Pairing:
    return Pairing(TRIAL, {each: Series(each, 0.02) for each in instruments})


def measured(base: float, head: float, instrument: InstrumentName = "time", overhead_ns: float = 0.0) -> Series:
    pairing = a_pairing(instrument)
    for number in range(LOOKS[0]):
        for side, value in zip(SIDES, (base, head), strict=True):
            pairing.take(a_record(side, [value] * 5, instrument, number, overhead_ns=overhead_ns))
    series = pairing.series[instrument]
    series.look(RULE, LOOKS[0])
    return series


@pytest.mark.parametrize(
    ("base", "head", "verdict"), [(1e6, 1.1e6, "slower"), (1e6, 0.9e6, "faster"), (1e6, 1.001e6, "same")]
)
def test_a_decision_at_the_first_look(base: float, head: float, verdict: str) -> None:
    series = measured(base, head)
    assert series.decision is not None
    assert series.decision.verdict == verdict
    assert not series.open


def test_a_decision_stays() -> None:
    """More rounds, which another instrument may ask for, do not take it back."""
    series = measured(1e6, 1.1e6)
    before = series.decision
    for number in range(LOOKS[0], LOOKS[1]):
        for side in SIDES:
            series.take(side, a_record(side, [1e6], number=number))
    series.look(RULE, LOOKS[1])
    assert series.decision is before


@pytest.mark.parametrize(
    ("base", "head", "verdict"), [(0, 1000, "same"), (-4096, 900_000, "same"), (0, 2**21, "slower")]
)
def test_small_peaks_are_not_told_apart(base: float, head: float, verdict: str) -> None:
    """Also where nothing grew, or less is held than before."""
    series = measured(base, head, "memory")
    assert series.decision is not None
    assert series.decision.verdict == verdict
    assert series.median("base") == LEAST_PEAK_BYTES


def test_energy_is_the_median_of_the_windows() -> None:
    pairing = a_pairing("energy")
    for side in SIDES:
        pairing.take(a_record(side, [2.0, 3.0, 100.0], "energy"))
    assert pairing.series["energy"].values == {"base": {(0, 0): 3.0}, "head": {(0, 0): 3.0}}


def test_a_call_as_short_as_the_loop_around_it_is_no_comparison() -> None:
    assert "times what nothing at all comes to" in measured(50, 60, overhead_ns=40).left_out
    assert measured(50, 6000, overhead_ns=40).left_out == ""  # it was short and is no more


def test_a_sensor_that_cannot_be_read_leaves_out_its_figures_alone() -> None:
    pairing = a_pairing("time", "energy")
    pairing.take(a_record("head", [], "energy", status="unavailable"))
    assert pairing.series["energy"].left_out == "unavailable: because"
    assert not pairing.faults
    assert pairing.open


@pytest.mark.parametrize("instrument", ["time", "memory"])
@pytest.mark.parametrize("status", ["wrong", "failed", "crashed", "timeout", "out_of_memory"])
def test_what_does_not_end_well_ends_the_pairing(instrument: InstrumentName, status: Status) -> None:
    pairing = a_pairing("time", "memory")
    pairing.take(a_record("base", [1.0] * 3))
    pairing.take(a_record("head", [], instrument, status=status))
    assert set(pairing.faults) == {"head"}
    assert not pairing.open


def test_whose_fault_it_is() -> None:
    checked = Checked()
    wrong, right = a_record("head", [], status="wrong"), a_record("base", [1.0])
    missing = a_record("head", [], status="unavailable")
    checked.judge(wrong, wrong)
    assert (len(checked.broken_before), checked.faulty) == (1, set())
    checked.judge(wrong, right)
    checked.judge(wrong, None)  # a case that base never had; the same reason is told once
    assert (len(checked.broken), len(checked.hindered)) == (1, 0)
    checked.judge(missing, right)
    assert (len(checked.broken), len(checked.hindered)) == (1, 1)
    assert checked.faulty == {("total", "plain")}


@pytest.mark.parametrize(("scatter", "undecided"), [(0.001, (0.0, 0.01)), (0.05, (0.5, 1.0))])
def test_how_often_the_gate_would_be_wrong_here(scatter: float, undecided: tuple[float, float]) -> None:
    """Much noise leaves equal code undecided, and even then hardly calls it different."""
    steps = [-1.5, -1, -0.5, 0, 0.5, 1, 1.5]
    head = {(number, 0): 1 + scatter * step for number, step in enumerate(steps)}
    known = KnownRatio(Case.of({"kind": "python"}), "second", head, dict.fromkeys(head, 1.0))
    (noise,) = noise_of([known], RULE, 0.02)
    assert noise.kind == "python"
    assert noise.scatter == pytest.approx(1.08 * scatter, rel=0.02)
    assert noise.low < 1 < noise.high
    assert undecided[0] <= noise.undecided <= undecided[1]
    assert noise.different < 0.03


def test_noise_is_measured_as_the_gate_measures() -> None:
    rounds = 2
    ratios = measure_twice(GATE, rounds, 5, usable_cpu_numbers())
    assert {ratio.case["kind"] for ratio in ratios} == {"python", "arithmetic", "memory"}
    for ratio in ratios:
        assert ratio.truth == 1
        assert (
            {number for number, _ in ratio.numerator}
            == {number for number, _ in ratio.denominator}
            == set(range(rounds))
        )
