"""Runs on disk: what is written is what is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.contract import Case
from harness.loading import load_run
from harness.records import FORMAT, Record, Sample
from harness.store import RunWriter, StoreError
from harness.trials import Trial


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


def test_a_half_written_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = write(tmp_path, 1)
    with (path / "records.jsonl").open("a") as file:
        file.write('{"format": 1, "sui')
    writer = RunWriter(path, {})
    writer.append([a_record(9)])
    writer.close()
    assert [record.trial.round for record in load_run(path).records] == [0, 9]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--results"):
        RunWriter.create(tmp_path / "file", "m", "run", {})


def test_the_format_is_written(tmp_path: Path) -> None:
    line = (write(tmp_path, 1) / "records.jsonl").read_text()
    assert json.loads(line)["format"] == FORMAT
    assert "duration_ns" in line
