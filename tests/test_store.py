"""Runs on disk: what is written is what is read, and damage costs no more than the damaged line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Case
from harness.records import FORMAT, STATUSES, Record, Sample
from harness.store import RunWriter, StoreError, load_run, resolve_run, slug
from harness.trials import INSTRUMENTS, Trial

names = st.text(min_size=1, max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.booleans() | st.integers(-(10**9), 10**9) | finite | names

trials = st.builds(
    Trial,
    suite=names,
    implementation=names,
    case=st.dictionaries(names, scalars, max_size=3).map(Case.of),
    device=st.sampled_from(["cpu", "cuda"]),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    threads=st.integers(1, 64),
    instrument=st.sampled_from(INSTRUMENTS),
    round=st.integers(0, 10),
    seed=st.integers(0, 2**48),
)
samples = st.builds(
    Sample,
    block=st.integers(-1, 100),
    iterations=st.integers(1, 10**6),
    values=st.dictionaries(names, finite, max_size=3),
    warmup=st.booleans(),
    flags=st.lists(names, max_size=2).map(tuple),
    readings=st.dictionaries(names, finite, max_size=2),
)
records = st.builds(
    Record,
    trial=trials,
    status=st.sampled_from(STATUSES),
    reason=st.text(max_size=50),
    origin=names,
    samples=st.lists(samples, max_size=3).map(tuple),
    errors=st.dictionaries(names, st.floats(0, math.inf), max_size=2),
    limits=st.dictionaries(names, finite, max_size=2),
    checked=st.dictionaries(names, scalars, max_size=2),
    setup_ns=st.dictionaries(names, st.integers(0, 10**12), max_size=2),
    calibration=st.dictionaries(names, finite, max_size=2),
    flags=st.lists(names, max_size=2).map(tuple),
    stopped=st.sampled_from(["", "precise", "enough", "budget", "trend"]),
    started_at=st.none() | finite,
    elapsed_s=st.none() | finite,
)


@given(records)
def test_a_record_survives_the_round_trip(record: Record) -> None:
    line = json.dumps(record.to_json(), allow_nan=False)
    assert "\n" not in line
    assert Record.from_json(json.loads(line)) == record


def a_record(number: int = 0) -> Record:
    trial = Trial("suite", "implementation", Case.of({"n": 1}), "cpu", "float32", 1, "time", number, 7)
    return Record(trial, "ok", samples=(Sample(0, 3, {"call": 12.5}),))


def write(results: Path, count: int) -> Path:
    writer = RunWriter.create(results, "A Machine (2x)", "run", {"seed": 7})
    for number in range(count):
        writer.append([a_record(number)])
    writer.close()
    return writer.path


def test_written_records_are_read_back(tmp_path: Path) -> None:
    path = write(tmp_path, 3)
    assert path == tmp_path / "a-machine-2x" / "run"
    run = load_run(path)
    assert run.environment == {"seed": 7}
    assert [record.trial.round for record in run.records] == [0, 1, 2]
    assert run.warnings == ()


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    assert write(tmp_path, 0) != write(tmp_path, 0)


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ('{"format": 1, "suite": "x"', "records.jsonl:2"),
        ("[1, 2]", "a record is a JSON object"),
        ('{"format": 99}', "newer than this program reads"),
        ('{"format": "x"}', "not a version number"),
        ('{"format": 1}', "not a record"),
        (json.dumps(a_record().to_json() | {"status": "splendid"}), "status 'splendid' is none of"),
        (json.dumps(a_record().to_json() | {"samples": [1]}), "not a record"),
        ("\x00\xff garbage", "records.jsonl:2"),
    ],
)
def test_a_bad_line_is_named_and_the_good_ones_load(tmp_path: Path, line: str, warning: str) -> None:
    path = write(tmp_path, 1)
    with (path / "records.jsonl").open("a") as file:
        file.write(line + "\n" + json.dumps(a_record(5).to_json()) + "\n")
    run = load_run(path)
    assert [record.trial.round for record in run.records] == [0, 5]
    assert len(run.warnings) == 1
    assert warning in run.warnings[0]
    assert "records.jsonl:2" in run.warnings[0]


def test_a_half_written_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = write(tmp_path, 1)
    with (path / "records.jsonl").open("a") as file:
        file.write('{"format": 1, "sui')
    writer = RunWriter(path, {})
    writer.append([a_record(9)])
    writer.close()
    assert [record.trial.round for record in load_run(path).records] == [0, 9]


def test_runs_are_found_by_name_by_path_and_as_the_newest(tmp_path: Path) -> None:
    first = RunWriter.create(tmp_path, "m", "20260101-quick", {}).path
    last = RunWriter.create(tmp_path, "n", "20260102-quick", {}).path
    RunWriter.create(tmp_path / "published", "m", "20270101-full", {})
    assert resolve_run(tmp_path, None) == last
    assert resolve_run(tmp_path, "20260101-quick") == first
    assert resolve_run(tmp_path, str(first)) == first
    with pytest.raises(StoreError, match=r"there are: .*20260102-quick"):
        resolve_run(tmp_path, "other")
    with pytest.raises(StoreError, match="make one with: bakeoff run"):
        resolve_run(tmp_path / "empty", None)


def test_the_same_name_on_two_machines_must_be_told_apart(tmp_path: Path) -> None:
    for machine in ("m", "n"):
        RunWriter.create(tmp_path, machine, "run", {})
    with pytest.raises(StoreError, match="2 runs are named 'run'"):
        resolve_run(tmp_path, "run")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--results"):
        RunWriter.create(tmp_path / "file", "m", "run", {})


def test_a_run_without_an_environment_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no run"):
        load_run(tmp_path)
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(StoreError, match="not JSON"):
        load_run(tmp_path)


@given(st.text())
def test_a_slug_is_one_safe_path_component(text: str) -> None:
    safe = slug(text)
    assert safe
    assert safe not in (".", "..")
    assert not set(safe) & set("/\\\0 ")


def test_the_format_is_written(tmp_path: Path) -> None:
    line = (write(tmp_path, 1) / "records.jsonl").read_text()
    assert json.loads(line)["format"] == FORMAT
    assert "duration_ns" in line


def test_records_of_the_first_format_load() -> None:
    """Written by 0.1.0 before samples had readings: they load without warnings and lack only what is new."""
    run = load_run(Path(__file__).parent / "fixtures" / "format_1" / "run")
    assert run.warnings == ()
    assert {record.trial.instrument for record in run.records} == {"time", "memory", "probe"}
    assert {record.status for record in run.records} == {"ok", "unavailable"}
    timed = next(record for record in run.records if record.trial.instrument == "time" and record.status == "ok")
    assert timed.measured
    assert timed.isolated == ()
    assert timed.stopped == ""
    assert timed.started_at is None
    assert timed.measured[0].readings == {}
