"""Files of pytest-benchmark: real ones load whole, and nothing from a file that is none."""

from __future__ import annotations

import json
import re
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history.entries import MOST_BLOCKS
from harness.history.pytest_benchmark_files import is_pytest_benchmark, read_pytest_benchmark
from harness.history.table import history_table
from harness.printable import is_printable
from harness.shapes import Misfit
from tests.loading.building import json_values

from .building import HISTORY, as_pytest, benchmark, noisy, pytest_document

WHOLE, QUARTILES = (HISTORY / "pytest_benchmark" / f"{name}.json" for name in ("whole", "quartiles"))


def test_a_real_file_with_all_rounds() -> None:
    document = json.loads(WHOLE.read_text())
    history = read_pytest_benchmark(document, "whole.json")
    assert history.warnings == ()
    assert history.commit == document["commit_info"]["id"]
    assert history.committed_at is not None
    assert history.committed_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert history.machine.cpu == document["machine_info"]["cpu"]["brand_raw"]
    assert history.machine.alias == ""
    assert [(entry.suite, entry.implementation, entry.case) for entry in history.entries] == [
        ("", "test_sorting.py::test_sort", "100"),
        ("", "test_sorting.py::test_sort", "1000"),
        ("total", "plain", "n=100"),
    ]
    for entry, stored in zip(history.entries, document["benchmarks"], strict=True):
        assert entry.figure is not None
        assert entry.figure.value == pytest.approx(1e9 * statistics.median(stored["stats"]["data"]))
        assert entry.figure.rests_on == f"{len(stored['stats']['data'])} rounds of one process"
        estimate = entry.figure.estimate()
        assert estimate.low <= entry.figure.value <= estimate.high
        assert "from one process" in estimate.caution


def test_a_real_file_with_quartiles_alone() -> None:
    """What ``--benchmark-autosave`` keeps says on what its interval rests, and it is no narrower than the quartiles."""
    document = json.loads(QUARTILES.read_text())
    assert all("data" not in stored["stats"] for stored in document["benchmarks"])
    history = read_pytest_benchmark(document, "quartiles.json")
    assert len(history.entries) == 3
    for entry, stored in zip(history.entries, document["benchmarks"], strict=True):
        assert entry.figure is not None
        assert entry.figure.rests_on == f"quartiles of {stored['stats']['rounds']} rounds of one process"
        estimate = entry.figure.estimate()
        assert estimate.low <= 1e9 * stored["stats"]["q1"] * (1 + 1e-9)
        assert estimate.high >= 1e9 * stored["stats"]["q3"] * (1 - 1e-9)
        assert "how processes differ is not in the interval" in estimate.caution


def test_many_rounds_become_few_blocks() -> None:
    (entry,) = as_pytest(benchmark("test_a", noisy(1e-3, 10_007, seed=1))).entries
    assert entry.figure is not None
    assert len(entry.figure.observations) == MOST_BLOCKS
    assert entry.figure.count == 10_007
    assert entry.figure.estimate().value == pytest.approx(1e6, rel=0.005)


def test_only_what_is_marked_as_ours_is_ours() -> None:
    ours = {"suite": "knn", "implementation": "brute", "case": {"n": 10, "metric": "l2"}, "dtype": "float64"}
    values = noisy(1e-3, 10, seed=1)
    history = as_pytest(
        benchmark("test_a", values, extra_info=ours),
        benchmark("test_b[x]", values, param="x", extra_info={**ours, "case": [1]}),
        benchmark("test_c[x]", values, param="x", extra_info={"suite": "knn"}),
        benchmark("test_d[y]", values, param={"a": 1}, extra_info=None),
    )
    assert [(entry.suite, entry.implementation, entry.case, entry.dtype) for entry in history.entries] == [
        ("knn", "brute", "n=10 metric=l2", "float64"),
        ("", "test_it.py::test_b", "x", ""),
        ("", "test_it.py::test_c", "x", ""),
        ("", "test_it.py::test_d[y]", "", ""),
    ]


@pytest.mark.parametrize(
    ("benchmarks", "message"),
    [(None, "benchmarks is null, must be a list"), ({}, "benchmarks is an object"), (3, "benchmarks is 3")],
)
def test_a_file_that_is_none_is_refused(benchmarks: Any, message: str) -> None:
    with pytest.raises(Misfit, match=re.escape(message)):
        read_pytest_benchmark({**pytest_document([]), "benchmarks": benchmarks}, "file")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "is null, must be an object"),
        ({}, "fullname is missing"),
        ({"fullname": "a"}, "stats is missing"),
        ({"fullname": "x" * 300, "stats": {}}, "is a name of over 250 characters"),
        ({"fullname": "a", "stats": {"median": "fast"}}, "stats.median is the text 'fast'"),
        ({"fullname": "a", "stats": {"median": -1.0}}, "stats.median is -1.0, must be at least 0"),
        ({"fullname": "a", "stats": {"median": float("nan")}}, "stats.median is NaN"),
        ({"fullname": "a", "stats": {"median": 1e-3, "data": [1e-3, None]}}, "stats.data[1] is null"),
        ({"fullname": "a", "stats": {"median": 1e-3, "data": "all"}}, "stats.data is the text 'all'"),
        ({"fullname": "a", "stats": {"median": 1e-3, "rounds": 0}}, "stats.rounds is 0"),
    ],
)
def test_a_bad_benchmark_is_named_and_the_others_load(bad: Any, message: str) -> None:
    history = as_pytest(bad, benchmark("test_good", noisy(1e-3, 10, seed=1)))
    assert [entry.implementation for entry in history.entries] == ["test_it.py::test_good"]
    (warning,) = history.warnings
    assert warning.startswith("benchmarks[0]: ")
    assert message in warning


def test_no_time_at_all_is_no_figure() -> None:
    history = as_pytest(benchmark("test_a", [0.0, 0.0]), benchmark("test_b", [0.0, 1e-9, 1e-9]))
    assert [(entry.status, entry.figure) for entry in history.entries] == [("failed", None)] * 2
    assert history_table([history]).value.isna().all()


def test_odd_circumstances_become_warnings() -> None:
    history = as_pytest(
        benchmark("test_a", noisy(1e-3, 10, seed=1)),
        machine_info={"machine": 3, "cpu": {"brand_raw": "A \x1b[2J", "count": "two"}},
        commit_info=None, datetime="then",
    )  # fmt: skip
    assert len(history.warnings) == 3
    assert all(is_printable(warning) for warning in history.warnings)
    assert is_printable(history.machine.cpu)
    assert (history.machine.cpus, history.machine.architecture) == (None, "")
    assert (history.commit, history.committed_at, history.measured_at) == ("", None, None)


def test_what_is_no_such_file() -> None:
    for document in (None, [], {}, {"benchmarks": []}, {"machine_info": {}}, "text"):
        assert not is_pytest_benchmark(document)


stats = st.fixed_dictionaries(
    {}, optional={name: json_values | st.floats(0, 1) for name in ("median", "q1", "q3", "rounds", "data")}
)
benchmarks = st.fixed_dictionaries(
    {}, optional={"fullname": st.text(max_size=6) | json_values, "stats": stats, "param": json_values,
                  "extra_info": json_values}
)  # fmt: skip


@settings(max_examples=60)
@given(
    st.lists(benchmarks | json_values, max_size=4),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("machine_info", "commit_info", "datetime"), json_values)),
)
def test_no_file_breaks_the_reader_or_the_table(found: list[Any], changes: dict[str, Any]) -> None:
    history = read_pytest_benchmark(pytest_document(found, **changes), "file")
    assert len(history_table([history])) == len(history.entries)
    assert len(history.entries) <= len(found)
    assert all(is_printable(warning) for warning in history.warnings)
