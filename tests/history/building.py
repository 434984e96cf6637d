"""Documents to read: as asv and pytest-benchmark write them, with parts replaced, and entries to compare."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from harness.history.asv_files import read_asv
from harness.history.entries import History
from harness.history.pytest_benchmark_files import read_pytest_benchmark
from tests.loading.building import FIXTURES

HISTORY = FIXTURES / "history"
CPU, CPUS, ARCHITECTURE = "A CPU", 2, "x86_64"
COLUMNS = [
    "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b", "stats_q_25",
    "stats_q_75", "stats_number", "stats_repeat", "samples", "profile",
]  # fmt: skip
OURS = "suites.total.time_call"


def asv_row(
    median_s: float | None, repeat: int = 20, params: Any = (), samples: list[float] | None = None, version: str = "v"
) -> list[Any]:
    """The cells of a benchmark with one combination of parameters and quartiles at 2 %."""
    if median_s is None:
        return [None, list(params), version]
    row = [[median_s], list(params), version, 1_700_000_000_000, 0.5, [median_s * 0.99], [median_s * 1.01],
           [median_s * 0.98], [median_s * 1.02], [10], [repeat]]  # fmt: skip
    return row if samples is None else [*row, [samples]]


def asv_document(results: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "commit_hash": "a" * 40,
        "env_name": "virtualenv-py3.11",
        "date": 1_600_000_000_000,
        "params": {"machine": "local", "cpu": CPU, "num_cpu": str(CPUS), "arch": ARCHITECTURE, "os": "Linux",
                   "ram": "4", "python": "3.11"},
        "python": "3.11",
        "requirements": {},
        "env_vars": {},
        "result_columns": COLUMNS,
        "results": {"bench.time_it": asv_row(1e-3)} if results is None else results,
        "durations": {},
        **changes,
    }  # fmt: skip


def noisy(middle_s: float, count: int, seed: int, spread: float = 0.01) -> list[float]:
    """Independent durations about a median."""
    rng = random.Random(seed)
    return [middle_s * (1 + spread * rng.uniform(-1, 1)) for _ in range(count)]


def benchmark(name: str, values_s: Sequence[float], data: bool = True, **changes: Any) -> dict[str, Any]:
    ordered = sorted(values_s)
    stats: dict[str, Any] = {
        "min": ordered[0], "max": ordered[-1], "median": ordered[len(ordered) // 2], "rounds": len(ordered),
        "q1": ordered[len(ordered) // 4], "q3": ordered[3 * len(ordered) // 4], "iterations": 1,
    }  # fmt: skip
    if data:
        stats["data"] = list(values_s)
    return {"group": None, "name": name, "fullname": f"test_it.py::{name}", "params": None, "param": None,
            "extra_info": {}, "options": {}, "stats": stats, **changes}  # fmt: skip


def pytest_document(benchmarks: Sequence[Any], **changes: Any) -> dict[str, Any]:
    return {
        "machine_info": {"node": "host", "machine": ARCHITECTURE, "cpu": {"brand_raw": CPU, "count": CPUS}},
        "commit_info": {"id": "b" * 40, "time": "2026-02-01T00:00:00+00:00", "dirty": False, "branch": "main"},
        "benchmarks": list(benchmarks),
        "datetime": "2026-02-02T00:00:00+00:00",
        "version": "5.1.0",
        **changes,
    }


def as_asv(**changes: Any) -> History:
    return read_asv(asv_document(**changes), "file.json", {})


def as_pytest(*benchmarks: Any, **changes: Any) -> History:
    return read_pytest_benchmark(pytest_document(benchmarks, **changes), "session.json")
