"""Result files of asv: what asv's own reader reads, and nothing from a file that is none."""

from __future__ import annotations

import copy
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.history.asv_files import is_asv, read_asv, read_units
from harness.history.entries import Entry
from harness.history.table import history_table
from harness.printable import is_printable
from harness.shapes import Misfit
from tests.loading.building import json_values

from .building import COLUMNS, HISTORY, OURS, as_asv, asv_document, asv_row

FILES = sorted(
    file for file in (HISTORY / "asv").glob("*/*/*.json") if file.name not in ("machine.json", "benchmarks.json")
)


def by_name(entries: tuple[Entry, ...]) -> dict[tuple[str, str, str], Entry]:
    return {(entry.implementation, entry.case, entry.instrument): entry for entry in entries}


def test_there_are_files_of_two_commits_in_three_kinds() -> None:
    assert len(FILES) == 6


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.stem[:8]}")
def test_it_reads_what_asv_reads(file: Path) -> None:
    """Every figure of asv's own reader is there, scaled to nanoseconds; null is a failure and NaN a skip."""
    results = pytest.importorskip("asv.results")
    theirs = results.Results.load(str(file))
    document = json.loads(file.read_text())
    ours = read_asv(document, "file", read_units(file.parent.parent))
    assert ours.warnings == ()
    assert ours.commit == theirs.commit_hash
    assert ours.committed_at is not None
    assert ours.committed_at.timestamp() * 1000 == theirs.date
    assert (ours.machine.alias, ours.machine.cpu, ours.machine.cpus) == ("fixture", "A CPU", 2)
    expected = []
    for key in theirs.get_all_result_keys():
        params = theirs.get_result_params(key)
        values, stats = theirs.get_result_value(key, params), theirs.get_result_stats(key, params)
        for value, stat in zip(values, stats, strict=True):
            scale = 1e9 if "time_" in key else 1.0
            if value is None or math.isnan(value):
                expected.append(("failed" if value is None else "unavailable", None))
            else:
                expected.append(("ok", pytest.approx(value * scale)))
                assert stat is None or stat["repeat"] >= 1
    found = [(entry.status, entry.figure.value if entry.figure else None) for entry in ours.entries]
    assert found == expected


def test_a_strangers_benchmarks_keep_their_names_and_units() -> None:
    file = FILES[[file.parent.parent.name for file in FILES].index("stranger")]
    history = read_asv(json.loads(file.read_text()), "file", read_units(file.parent.parent))
    found = by_name(history.entries)
    assert {entry.suite for entry in history.entries} == {""}
    sort = found["stranger.TimeSort.time_sort", "100, 'up'", "time"]
    assert (sort.unit, sort.status) == ("ns", "ok")
    assert sort.figure is not None
    assert sort.figure.rests_on.startswith("quartiles of ")
    assert found["stranger.TimeSort.time_sort", "1000, 'up'", "time"].status == "unavailable"
    assert found["stranger.time_fails", "", "time"].status == "failed"
    assert found["stranger.peakmem_list", "", "peakmem"].unit == "bytes"
    lines = found["stranger.track_lines", "", "track"]
    assert lines.unit == "lines"
    assert lines.figure is not None
    assert lines.figure.value == 12.0
    assert not lines.figure.estimate().has_interval


def test_recorded_samples_are_what_the_interval_rests_on() -> None:
    file = FILES[[file.parent.parent.name for file in FILES].index("samples")]
    history = read_asv(json.loads(file.read_text()), "file", {})
    figure = by_name(history.entries)["stranger.TimeSort.time_sort", "100, 'up'", "time"].figure
    assert figure is not None
    assert figure.observations
    assert figure.rests_on == f"{figure.count} samples"
    assert "does not store which process" in figure.estimate().caution


def test_our_own_benchmarks_are_recognised() -> None:
    file = FILES[[file.parent.parent.name for file in FILES].index("suites")]
    entries = read_asv(json.loads(file.read_text()), "file", read_units(file.parent.parent)).entries
    assert {(entry.suite, entry.implementation, entry.threads) for entry in entries} == {("total", "plain", 1)}
    assert {entry.case for entry in entries} == {"n=10", "n=100", "n=1000"}
    assert {(entry.instrument, entry.unit) for entry in entries} == {("time", "ns"), ("memory", "bytes")}


def version_1(document: dict[str, Any]) -> dict[str, Any]:
    """The first format, with the same content (what ``Results.update_to_2`` turns into the second)."""
    results: dict[str, Any] = {}
    old = {**document, "version": 1, "results": results, "started_at": {}, "benchmark_version": {}, "duration": {}}
    for name, row in document["results"].items():
        cells = dict(itertools.zip_longest(COLUMNS, row))
        count = math.prod(len(values) for values in cells["params"] or ())
        stats = [
            None if cells["stats_q_25"] is None or cells["stats_q_25"][i] is None else
            {"ci_99": [cells["stats_ci_99_a"][i], cells["stats_ci_99_b"][i]], "q_25": cells["stats_q_25"][i],
             "q_75": cells["stats_q_75"][i], "repeat": cells["stats_repeat"][i], "number": cells["stats_number"][i]}
            for i in range(count)
        ]  # fmt: skip
        results[name] = {"result": cells["result"], "params": cells["params"], "samples": cells["samples"],
                         "stats": stats}  # fmt: skip
        old["started_at"][name] = cells["started_at"]
        old["benchmark_version"][name] = cells["version"]
    return {key: value for key, value in old.items() if key not in ("result_columns", "durations")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}-{file.stem[:8]}")
def test_the_first_format_says_the_same(file: Path) -> None:
    document = json.loads(file.read_text())
    old = version_1(document)
    assert read_asv(old, "file", {}) == read_asv(document, "file", {})
    results = pytest.importorskip("asv.results")
    converted = results.Results.update_to_2(copy.deepcopy(old))
    ours = read_asv({**converted, "version": 2}, "file", {}).entries  # which asv sorts by name
    assert by_name(ours) == by_name(read_asv(document, "file", {}).entries)


def test_bare_values_of_the_first_format() -> None:
    """Before there were parameters a result was a number or null."""
    history = as_asv(version=1, results={"b.time_it": 1.5e-3, "b.time_bad": None, "b.time_nan": math.nan,
                                         "b.time_one": {"result": 2e-3}})  # fmt: skip
    found = {entry.implementation: entry for entry in history.entries}
    assert found["b.time_it"].figure is not None
    assert found["b.time_it"].figure.value == pytest.approx(1.5e6)
    assert found["b.time_one"].figure is not None
    assert [found[name].status for name in ("b.time_bad", "b.time_nan")] == ["failed", "unavailable"]


def test_what_failed_is_not_shown_as_0() -> None:
    history = as_asv(
        results={
            "b.time_null": [None, []],
            "b.time_nothing": [],
            "b.time_some": [[None, math.nan, 1e-3, math.inf], [["1", "2", "3", "4"]]],
        }
    )
    assert [entry.status for entry in history.entries] == ["failed", "failed", "failed", "unavailable", "ok", "failed"]
    table = history_table([history])
    measured = table[table.status == "ok"]
    assert list(measured.value) == [pytest.approx(1e6)]
    assert table[table.status != "ok"][["value", "low", "high"]].isna().all().all()
    assert measured[["low", "high"]].isna().all().all()  # a value alone has no interval


@pytest.mark.parametrize("repeat", [1, 2, 6, 7, 20])
def test_few_samples_have_no_interval(repeat: int) -> None:
    (entry,) = as_asv(results={"b.time_it": asv_row(1e-3, repeat)}).entries
    assert entry.figure is not None
    estimate = entry.figure.estimate()
    assert estimate.has_interval == (repeat >= 7)
    assert ("quartiles of" in estimate.caution) == (repeat > 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "version is none of asv's formats 1 and 2"),
        ({"version": None}, "version is none of"),
        ({"version": True}, "version is none of"),
        ({"version": []}, "version is none of"),
        ({"commit_hash": ""}, "commit_hash is empty"),
        ({"commit_hash": 7}, "commit_hash is 7, must be a name"),
        ({"params": []}, "params is a list of 0, must be an object"),
        ({"params": {"machine": 1}}, "params.machine is 1, must be a name"),
        ({"results": []}, "results is a list of 0, must be an object"),
        ({"results": {"a": {}}}, "results.a is an object of 0 names, must be a list"),
        ({"result_columns": None}, "result_columns is null, must be a list"),
        ({"date": "yesterday"}, "date is the text 'yesterday', must be a number"),
        ({"date": 1e300}, "date is 1e+300, must be milliseconds"),
        ({"date": -5}, "date is -5"),
    ],
)
def test_a_file_that_is_none_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(Misfit, match="^" + message.replace("+", r"\+").replace("[", r"\[")):
        as_asv(**changes)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([["fast"], []], r"result\[0\] is the text 'fast', must be a number"),
        ([[1e300], []], r"result\[0\] is 1e\+300, must be 0 or of a size"),
        ([1e-3, []], "result is 0.001, must be a list"),
        ([[1e-3, 2e-3], []], "result has 2 values for 1 combinations"),
        ([[1e-3], [["1", "2"]]], "result has 1 values for 2 combinations"),
        ([None, [["x"] * 1000, ["y"] * 1000]], "has 1000000 combinations of parameters"),
        ([[1e-3], [[1]]], r"params\[0\]\[0\] is 1, must be a name"),
        ([[1e-3], [], "v", math.inf], "started_at is Infinity"),
        ([[1e-3], [], "v", 0, 0, ["a"]], r"stats_ci_99_a\[0\] is the text 'a'"),
    ],
)
def test_a_bad_benchmark_is_named_and_the_others_load(row: list[Any], message: str) -> None:
    history = as_asv(results={"b.time_bad": row, "b.time_good": asv_row(1e-3)})
    assert [entry.implementation for entry in history.entries] == ["b.time_good"]
    (warning,) = history.warnings
    assert warning.startswith("results.b.time_bad: ")
    assert pytest.importorskip("re").search(message, warning), warning


def test_values_at_the_ends_of_what_is_read() -> None:
    """Quartiles out of order, an interval that is none, columns of a newer asv: no interval, and no error."""
    strange = asv_row(1e-3)
    strange[7], strange[8] = strange[8], strange[7]
    infinite = asv_row(1e-3)
    infinite[5], infinite[6] = [-math.inf], [math.inf]
    history = as_asv(
        results={"b.time_strange": [*strange, None, None, {"new": 1}], "b.time_infinite": infinite},
        result_columns=[*COLUMNS, "something_new"],
    )
    estimates = {e.implementation: e.figure.estimate() for e in history.entries if e.figure}
    assert not estimates["b.time_strange"].has_interval
    assert estimates["b.time_infinite"].low == pytest.approx(0.98e6)


def test_hostile_texts_are_made_harmless() -> None:
    document = asv_document(
        {"b.\x1b[2Jtime_it": asv_row(1e-3), OURS: asv_row(1e-3, params=[["'=1+1'"], ["'\u202en=1'"]])}
    )
    document["params"]["cpu"] = "\x1b]0;x\x07"
    history = read_asv(document, "file", {})
    assert is_printable(history.machine.cpu)
    for entry in history.entries:
        assert is_printable(entry.implementation)
        assert is_printable(entry.case)


def test_what_is_no_result_file() -> None:
    for document in (None, [], {}, {"results": {}}, {"commit_hash": "a"}, "text", 3):
        assert not is_asv(document)


def test_units_come_from_the_good_part_of_a_list(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.json").write_text('{"a.track_x": {"unit": "m"}, "b": {"unit": 3}, "c": 1, "version": 2}')
    assert read_units(tmp_path) == {"a.track_x": "m"}
    (tmp_path / "benchmarks.json").write_text("[]")
    assert read_units(tmp_path) == {}
    (tmp_path / "benchmarks.json").write_text("{")
    assert read_units(tmp_path) == {}


cells = st.fixed_dictionaries({}, optional=dict.fromkeys(COLUMNS, json_values))


@settings(max_examples=60)
@given(
    version=st.sampled_from([1, 2]),
    rows=st.dictionaries(st.sampled_from([OURS, "a.time_b", "track_x", ""]) | st.text(max_size=8), cells, max_size=3),
    changes=st.fixed_dictionaries({}, optional=dict.fromkeys(("params", "date", "commit_hash"), json_values)),
    bare=json_values,
)
def test_no_file_breaks_the_reader_or_the_table(
    version: int, rows: dict[str, dict[str, Any]], changes: dict[str, Any], bare: Any
) -> None:
    results: dict[str, Any] = {name: [row.get(column) for column in COLUMNS] for name, row in rows.items()}
    if version == 1:
        results = {name: row or bare for name, row in rows.items()}
    try:
        history = as_asv(version=version, results=results, **changes)
    except Misfit as misfit:
        said = str(misfit)
    else:
        said = "".join(history.warnings)
        table = history_table([history])
        assert len(table) == len(history.entries)
        assert set(table.status) <= {"ok", "failed", "unavailable"}
        assert table[table.status != "ok"].value.isna().all()
    assert is_printable(said, len(said))


@settings(max_examples=60)
@given(st.data())
def test_a_good_file_with_a_part_replaced(data: st.DataObject) -> None:
    """Any value anywhere in a real file."""
    document = json.loads(FILES[0].read_text())
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(json_values)
            break
        place = place[key]
    if not is_asv(document):
        return
    try:
        history = read_asv(document, "file", {})
    except Misfit:
        return
    history_table([history])
