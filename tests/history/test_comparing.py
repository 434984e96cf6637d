"""Two files or runs of any of the tools against each other."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.comparing import Incomparable, overall
from harness.contract import Case
from harness.history.comparing import compare_histories
from harness.history.entries import History
from harness.history.machines import Machine, why_not_the_same
from harness.history.runs import read_run
from harness.loading import Run
from harness.records import Record, Sample
from harness.trials import Trial

from .building import ARCHITECTURE, CPU, CPUS, OURS, as_asv, as_pytest, asv_row, benchmark, noisy

MARK = {"suite": "total", "implementation": "plain", "case": {"n": 10, "m": 2}, "dtype": "float64"}
PARAMS = [["'plain'"], ["'m=2 n=10'"]]


def pytest_session(
    factor: float = 1.0, count: int = 60, seed: int = 1, data: bool = True, **changes: object
) -> History:
    values = noisy(1e-3 * factor, count, seed)
    return as_pytest(
        benchmark("test_a", values, data=data), benchmark("test_b", values, data=data, extra_info=MARK), **changes
    )


def a_run(factor: float = 1.0, dtypes: tuple[str, ...] = ("float32", "float64"), rounds: int = 6) -> History:
    """A stored run of one contestant whose float64 takes a millisecond, and its float32 half of that."""
    records = [
        Record(
            Trial("total", "plain", Case.of({"n": 10, "m": 2}), "cpu", dtype, 1, "time", number, 7),
            "ok",
            samples=tuple(
                Sample(block, 1, {"call": 1e9 * value * (1.0 if dtype == "float64" else 0.5)})
                for block, value in enumerate(noisy(1e-3 * factor, 20, seed=number))
            ),
        )
        for dtype in dtypes
        for number in range(rounds)
    ]
    environment = {"machine": {"cpu": CPU, "cpus": CPUS, "architecture": ARCHITECTURE}, "git": {"commit": "c" * 40}}
    return read_run(Run(Path("a-run"), environment, tuple(records)), "a-run")


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "same"), (1.2, "slower"), (1 / 1.2, "faster"), (1.05, "undecided")]
)
def test_sessions_of_pytest(factor: float, verdict: str) -> None:
    outcome = compare_histories(pytest_session(), pytest_session(factor, seed=2))
    assert [comparison.verdict for comparison in outcome.comparisons] == [verdict] * 2
    assert outcome.left_out == ()
    for comparison in outcome.comparisons:
        assert comparison.ratio.low < factor < comparison.ratio.high
        assert "from one process" in comparison.ratio.caution


def test_sessions_without_their_rounds() -> None:
    """Quartiles at half a per cent each way still tell a fifth; three rounds tell nothing."""
    base, head = pytest_session(data=False), pytest_session(1.2, seed=2, data=False)
    assert overall(compare_histories(base, head).comparisons) == "slower"
    assert overall(compare_histories(base, pytest_session(seed=2, data=False)).comparisons) == "same"
    (first, *_) = compare_histories(base, head).comparisons
    assert "only the quartiles of 60 values were stored" in first.ratio.caution
    few = compare_histories(pytest_session(count=3, data=False), pytest_session(2.0, count=3, seed=2, data=False))
    assert overall(few.comparisons) == "undecided"
    assert "too few" in few.comparisons[0].ratio.caution


def test_correlated_rounds_widen_the_interval() -> None:
    """A machine that is slower for half of a session has not shown that the code is."""
    halves = [*noisy(1e-3, 50, seed=1), *noisy(1.6e-3, 50, seed=2)]
    base = as_pytest(benchmark("test_a", noisy(1e-3, 100, seed=3)))
    outcome = compare_histories(base, as_pytest(benchmark("test_a", halves)))
    assert [comparison.verdict for comparison in outcome.comparisons] == ["undecided"]
    assert "correlated" in outcome.comparisons[0].ratio.caution


def test_many_cases_are_corrected_for() -> None:
    def session(seed: int, count: int) -> History:
        return as_pytest(*(benchmark(f"test_{i}", noisy(1e-3, 30, 1000 * seed + i)) for i in range(count)))

    one = compare_histories(session(1, 1), session(2, 1)).comparisons[0].ratio
    many = compare_histories(session(1, 200), session(2, 200)).comparisons[0].ratio
    assert many.high - many.low > 1.3 * (one.high - one.low)
    assert many.value == one.value


def test_asv_with_and_without_its_samples() -> None:
    whole = as_asv(results={OURS: asv_row(1e-3, params=PARAMS, samples=noisy(1e-3, 20, seed=1))})
    slower = as_asv(results={OURS: asv_row(1.2e-3, params=PARAMS, samples=noisy(1.2e-3, 20, seed=2))})
    quartiles = as_asv(results={OURS: asv_row(1.2e-3, params=PARAMS)})
    once = as_asv(results={OURS: asv_row(1.2e-3, repeat=1, params=PARAMS)})
    assert overall(compare_histories(whole, slower).comparisons) == "slower"
    assert overall(compare_histories(slower, whole).comparisons) == "faster"
    assert overall(compare_histories(whole, quartiles).comparisons) == "slower"
    assert overall(compare_histories(quartiles, quartiles).comparisons) == "same"
    assert overall(compare_histories(quartiles, quartiles, threshold=0.02).comparisons) == "undecided"
    (single,) = compare_histories(whole, once).comparisons
    assert single.verdict == "undecided"
    assert "no interval: a single value" in single.ratio.caution


def test_a_changed_benchmark_is_not_compared() -> None:
    base = as_asv(results={OURS: asv_row(1e-3, params=PARAMS, version="1"), "b.time_it": asv_row(1e-3)})
    head = as_asv(results={OURS: asv_row(1e-3, params=PARAMS, version="2"), "b.time_it": asv_row(1e-3)})
    outcome = compare_histories(base, head)
    assert [comparison.implementation for comparison in outcome.comparisons] == ["b.time_it"]
    assert outcome.left_out == ("1 left out: the benchmark itself was changed in between",)


def test_a_figure_without_a_direction_is_not_compared() -> None:
    track = as_asv(results={"b.track_score": [[0.9], []]})
    with pytest.raises(Incomparable, match="no one can tell which direction is dearer"):
        compare_histories(track, track)


def test_a_run_against_a_session_of_pytest() -> None:
    """They meet in the dtype that the session names, whatever the order of the case's parameters."""
    outcome = compare_histories(a_run(), pytest_session(1.2))
    (comparison,) = outcome.comparisons
    assert (comparison.suite, comparison.implementation, comparison.dtype) == ("total", "plain", "float64")
    assert comparison.verdict == "slower"
    assert comparison.ratio.low < 1.2 < comparison.ratio.high
    assert set(outcome.left_out) == {"1 left out: only the head has it"}


@pytest.mark.parametrize(("order", "factor"), [(("float64", "float32"), 1.0), (("float32", "float64"), 2.0)])
def test_a_run_against_asv(order: tuple[str, ...], factor: float) -> None:
    """asv does not say its dtype: it is the suite's first."""
    asv = as_asv(results={OURS: asv_row(1e-3, params=PARAMS, samples=noisy(1e-3, 20, seed=9))})
    (forward,) = compare_histories(a_run(), asv, dtypes={"total": order}).comparisons
    assert forward.ratio.low < factor < forward.ratio.high
    (backward,) = compare_histories(asv, a_run(), dtypes={"total": order}).comparisons
    assert backward.ratio.low < 1 / factor < backward.ratio.high
    assert backward.dtype == order[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cpu": "Another CPU"}, "cpu: 'Another CPU' and 'A CPU'"),
        ({"cpus": 4}, "cpus: 4 and 2"),
        ({"architecture": "arm64"}, "architecture: 'arm64' and 'x86_64'"),
        ({"cpu": ""}, "does not say its machine's cpu"),
        ({"cpus": None}, "does not say its machine's cpus"),
    ],
)
def test_other_machines_are_refused(changes: dict[str, object], reason: str) -> None:
    base = pytest_session()
    other = dataclasses.replace(base, machine=dataclasses.replace(base.machine, **changes))
    with pytest.raises(Incomparable, match=reason):
        compare_histories(other, base)


def test_machines_by_the_names_that_asv_gives_them() -> None:
    ours, theirs = (Machine(CPU, CPUS, ARCHITECTURE, alias) for alias in ("one", "two"))
    assert "asv knows as 'one' and 'two'" in why_not_the_same(ours, theirs)
    assert why_not_the_same(ours, Machine(f" {CPU.lower()} ", CPUS, ARCHITECTURE)) == ""
    assert ours.kind == theirs.kind == "a-cpu-2cpu"


def test_nothing_in_common_is_said() -> None:
    with pytest.raises(Incomparable, match=r"share no benchmark .*1 left out: only the base has it"):
        compare_histories(as_asv(), pytest_session())
