"""The wall clock: what a sample holds and how calls are counted. No test asserts how long anything took."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Output, Suite, Tolerance, grid, implements
from harness.instruments.timing import (
    PARTS,
    CpuTimer,
    Warm,
    calibrate,
    clock_resolution_ns,
    warm_up,
)


def suite(*phases: str) -> Suite:
    return Suite(
        name="topic",
        title="A topic",
        cases=grid(n=[1]),
        make_inputs=lambda rng, n: {"x": rng.normal(size=n)},
        reference=lambda x: {"y": x},
        phases={phase: (Output("y", Tolerance()),) if phase == phases[-1] else () for phase in phases},
        baseline="b",
        axis="n",
    )


X = {"x": np.zeros(3)}


def test_a_sample_makes_exactly_the_calls_it_says_with_the_collector_off() -> None:
    collector: list[bool] = []

    def count(x: np.ndarray) -> np.ndarray:
        collector.append(gc.isenabled())
        return x

    values = CpuTimer(implements(suite("call"))(count)).sample(lambda: X, ("call",), 7)
    assert collector == [False] * 7
    assert set(values) == {"call"}
    assert values["call"] > 0
    assert gc.isenabled()


def test_phases_are_timed_apart_and_cleaning_up_is_not() -> None:
    events: list[str] = []

    def build_and_query(x: np.ndarray) -> Iterator[Any]:
        events.append("build")
        yield
        events.append("query")
        try:
            yield x
        finally:
            events.append("clean up")

    values = CpuTimer(implements(suite("build", "query"))(build_and_query)).sample(lambda: X, ("build", "query"), 2)
    assert events == ["build", "query", "clean up"] * 2
    assert set(values) == {"build", "query"}


def test_a_call_can_end_after_an_early_phase() -> None:
    events: list[str] = []

    def build_and_query(x: np.ndarray) -> Iterator[Any]:
        events.append("build")
        yield
        events.append("query")
        yield x

    CpuTimer(implements(suite("build", "query"))(build_and_query)).sample(lambda: X, ("build",), 3)
    assert events == ["build"] * 3


@pytest.mark.parametrize("phased", [False, True])
def test_a_contestant_that_writes_into_its_input_gets_a_fresh_one_each_call(phased: bool) -> None:
    seen: list[float] = []

    def plain(x: np.ndarray) -> np.ndarray:
        seen.append(float(x[0]))
        x += 1
        return x

    def generator(x: np.ndarray) -> Iterator[Any]:
        yield
        yield plain(x)

    implementation = (
        implements(suite("one", "two"), mutates=("x",))(generator)
        if phased
        else implements(suite("call"), mutates=("x",))(plain)
    )
    phases = ("one", "two") if phased else ("call",)
    CpuTimer(implementation).sample(lambda: {"x": np.zeros(3)}, phases, 4)
    assert seen == [0.0] * 4


def test_an_exception_leaves_the_collector_on() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        CpuTimer(implements(suite("call"))(broken)).sample(lambda: X, ("call",), 1)
    assert gc.isenabled()


def test_calibration_fills_the_target_and_never_less_than_the_clock_can_tell() -> None:
    assert calibrate((Warm({"call": 1000.0}, 1), Warm({"call": 2000.0}, 1)), 1e6).iterations == 1000
    assert calibrate((Warm({"call": 5e9}, 1),), 1e6).iterations == 1
    coarse = calibrate((Warm({"call": 10.0}, 1),), 1.0)
    assert coarse.iterations * 10.0 >= 999 * coarse.clock_resolution_ns


def test_warm_up_is_several_calls_unless_one_takes_long() -> None:
    class Scripted:
        def __init__(self) -> None:
            self.calls = 0

        def sample(self, fresh_inputs: Any, phases: tuple[str, ...], iterations: int) -> dict[str, float]:
            self.calls += iterations
            return {"call": 1.0}

        def overhead_ns(self, fresh_inputs: Any, phases: tuple[str, ...]) -> float:
            return 0.0

    assert len(warm_up(Scripted(), dict, ("call",), 0.0)) >= 1
    scripted = Scripted()
    samples = warm_up(scripted, dict, ("call",), 0.002)
    assert len(samples) >= 3
    assert [sample.iterations for sample in samples[:4]] == [1, 1, 1, 2]
    assert sum(sample.iterations for sample in samples) == scripted.calls


def test_a_call_that_does_nothing_comes_to_the_loops_own_cost() -> None:
    """Whatever the function does, the overhead is that of an empty one; writing into inputs costs no copies then."""
    calls: list[int] = []

    def count(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return x

    timer = CpuTimer(implements(suite("call"), mutates=("x",))(count))
    assert timer.overhead_ns(lambda: X, ("call",), repeats=1) > 0
    assert calls == []


def test_the_clock_is_described_by_positive_numbers() -> None:
    assert clock_resolution_ns() > 0


def test_a_sample_is_the_median_of_its_parts() -> None:
    """Two calls in each of five parts; one call is interrupted for a long time, and the mean would show it."""
    clock = iter([0, 10, 20, 1_000_030, 1_000_040, 1_000_050])

    calls: list[int] = []
    timer = CpuTimer(implements(suite("call"))(lambda x: calls.append(1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.instruments.timing.time.perf_counter_ns", lambda: next(clock))
        values = timer.sample(lambda: X, ("call",), iterations=10, part=2)
    assert len(calls) == 10
    assert values == {"call": 5.0}


def test_parts_are_long_enough_for_the_clock_and_as_many_for_all_that_cost_about_the_same() -> None:
    fast = calibrate((Warm({"call": 1000.0}, 1),), 2e6)
    assert fast.part * 1000.0 >= 1000 * fast.clock_resolution_ns
    assert fast.iterations == PARTS * fast.part
    slow = calibrate((Warm({"call": 3e7}, 1),), 2e6)
    assert (slow.part, slow.iterations) == (1, 1)


@given(baseline_ns=st.floats(1e4, 1e8), factor=st.floats(0.55, 1.8))
def test_who_costs_about_what_the_baseline_does_has_as_many_parts(baseline_ns: float, factor: float) -> None:
    baseline = calibrate((Warm({"call": baseline_ns}, 1),), 2e6)
    other = calibrate((Warm({"call": baseline_ns * factor}, 1),), 2e6, longest_part_ns=baseline.longest_part_ns)
    assert other.iterations // other.part == baseline.iterations // baseline.part
