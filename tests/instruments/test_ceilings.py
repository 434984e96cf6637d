"""Ceilings: rates are positive, belong to what was asked for, and are not beyond what the work counts."""

from __future__ import annotations

import pytest

from harness.instruments import ceilings
from harness.instruments.ceilings import measure_ceiling


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that need no second, on which rates are no ceilings."""
    monkeypatch.setattr(ceilings, "MATMUL_SIZE", {"cpu": 64, "cuda": 64})
    monkeypatch.setattr(ceilings, "COPY_BYTES", {"cpu": 2**20, "cuda": 2**20})


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_rates_are_positive_and_say_what_they_are_of(dtype: str) -> None:
    found = measure_ceiling("cpu", dtype, threads=1)
    assert (found.device, found.dtype, found.threads) == ("cpu", dtype, 1)
    assert found.matmul_flops_per_s > 0
    assert found.copy_bytes_per_s > 0


@pytest.mark.parametrize(
    ("durations_s", "best_s", "calls"),
    [
        ([0.1, 3.0, 1.0, 2.0, 2.0, 2.0], 1.0, 1 + ceilings.REPEATS),
        # Short calls are repeated for long enough that what slows them for a tenth of a second passes.
        ([0.001] + [0.02] * 10 + [0.01] * 100, 0.01, 1 + 10 + 30),
    ],
)
def test_the_best_repeat_counts_and_the_first_call_does_not(
    monkeypatch: pytest.MonkeyPatch, durations_s: list[float], best_s: float, calls: int
) -> None:
    now_s = 0.0
    done = 0

    def call() -> None:
        nonlocal now_s, done
        now_s += durations_s[done]
        done += 1

    monkeypatch.setattr(ceilings.time, "perf_counter", lambda: now_s)
    assert ceilings._best_s(call) == pytest.approx(best_s)
    assert done == pytest.approx(calls, abs=1)


def test_flops_and_bytes_are_those_of_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "_best_s", lambda call: 2.0)
    found = measure_ceiling("cpu", "float32", threads=1)
    assert found.matmul_flops_per_s == 2 * 64**3 / 2.0
    assert found.copy_bytes_per_s == 2 * 2**20 / 2.0
