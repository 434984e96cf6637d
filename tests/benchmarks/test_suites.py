"""Every implementation on every quick case under pytest-benchmark: ``pytest tests/benchmarks --benchmark-only``.

Each case is checked before it is timed. Without that option none is collected: timing is no test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.adapters.contestants import Contestant

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def test_speed(benchmark: BenchmarkFixture, contestant: Contestant) -> None:
    """The answer is right, and one call takes what is reported."""
    prepared = contestant.prepare()
    benchmark.group = f"{contestant.listing.suite} {contestant.case.label}"
    benchmark.extra_info.update(
        suite=contestant.listing.suite,
        implementation=contestant.listing.name,
        case=dict(contestant.case),
        dtype=contestant.dtype,
    )
    benchmark(prepared)
