"""Storing records: whole batches or nothing, whatever happens to the disk, the folder and the program."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Case
from harness.loading import load_run, next_run_name
from harness.records import Record, Sample
from harness.store import RunWriter, StoreError
from harness.trials import Trial

ENVIRONMENT = {"seed": 7}
TRIAL = Trial("suite", "implementation", Case.of({"n": 1}), "cpu", "float32", 1, "time", 0, 7)


def a_record(number: int, samples: int = 1) -> Record:
    trial = dataclasses.replace(TRIAL, round=number)
    return Record(trial, "ok", samples=tuple(Sample(block, 3, {"call": 12.5}) for block in range(samples)))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RunWriter]:
    found = RunWriter.create(tmp_path / "results", "machine", "run", ENVIRONMENT)
    yield found
    found.close()


def rounds(path: Path) -> list[int]:
    return [record.trial.round for record in load_run(path).records]


def test_records_stored_together_say_so(writer: RunWriter) -> None:
    writer.append([a_record(0)])
    writer.append([a_record(1), a_record(2)])
    alone, *together = load_run(writer.path).records
    assert (alone.batch, alone.batch_size) == ("", 1)
    assert {record.batch_size for record in together} == {2}
    assert len({record.batch for record in together}) == 1
    assert together[0].batch


@settings(max_examples=30)
@given(cut=st.integers(1, 2000))
def test_what_was_half_written_is_dropped_and_no_more(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = _two_records(tmp_path_factory.mktemp("results"))
    file = path / "records.jsonl"
    whole = file.read_bytes()
    kept = whole[: max(0, len(whole) - cut)]
    file.write_bytes(kept)
    RunWriter(path, ENVIRONMENT).close()
    after = file.read_bytes()
    assert after == kept[: kept.rfind(b"\n") + 1]
    assert load_run(path).warnings == ()


def _two_records(results: Path) -> Path:
    writer = RunWriter.create(results, "m", "run", ENVIRONMENT)
    writer.append([a_record(0, samples=3)])
    writer.append([a_record(1, samples=3)])
    writer.close()
    return writer.path


def test_a_second_writer_is_refused_until_the_first_is_done(writer: RunWriter) -> None:
    with pytest.raises(StoreError, match="is being written by another bakeoff"):
        RunWriter(writer.path, ENVIRONMENT)
    writer.close()
    RunWriter(writer.path, ENVIRONMENT).close()


def test_a_folder_removed_in_the_middle_is_put_back_with_all_it_held(writer: RunWriter) -> None:
    writer.append([a_record(0)])
    shutil.rmtree(writer.path.parent)
    writer.append([a_record(1)])
    writer.append([a_record(2)])
    run = load_run(writer.path)
    assert run.environment == ENVIRONMENT
    assert rounds(writer.path) == [0, 1, 2]


def test_a_file_that_someone_else_put_in_its_place_is_left_alone(writer: RunWriter) -> None:
    file = writer.path / "records.jsonl"
    file.unlink()
    file.write_text("mine\n")
    with pytest.raises(StoreError, match="another file was put in its place"):
        writer.append([a_record(1)])
    assert file.read_text() == "mine\n"


def test_starting_over_keeps_what_it_replaces(writer: RunWriter) -> None:
    for number in range(3):
        writer.append([a_record(number)])
    for keep in ([0, 2], [2]):
        writer.start_over_from([a_record(number) for number in keep])
        writer.append([a_record(9)])
    assert rounds(writer.path) == [2, 9]
    old = [
        [json.loads(line)["round"] for line in (writer.path / f"superseded-{number}.jsonl").read_text().splitlines()]
        for number in (1, 2)
    ]
    assert old == [[0, 1, 2], [0, 2, 9]]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from harness.store import RunWriter, StoreError
sys.path.insert(0, {tests!r})
from tests.test_writing import ENVIRONMENT, a_record
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = RunWriter.create(Path({results!r}), "m", "run", ENVIRONMENT)
if {limit}:
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
stored = 0
try:
    while stored < 10_000:
        writer.append([a_record(2 * stored, samples=20), a_record(2 * stored + 1, samples=20)])
        stored += 1
except StoreError as error:
    print(stored, error)
"""


def _fill(results: Path, limit: int) -> tuple[int, str]:
    root = str(Path(__file__).parents[1])
    code = FULL_DISK.format(tests=root, results=str(results), limit=limit)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=root
    )
    count, _, message = done.stdout.partition(" ")
    return int(count), message


def _holds(results: Path, batches: int) -> bool:
    path = results / "m" / "run"
    run = load_run(path)
    return run.warnings == () and rounds(path) == list(range(2 * batches))


def test_a_file_that_may_not_grow_keeps_every_whole_batch(tmp_path: Path) -> None:
    batches, message = _fill(tmp_path, limit=50_000)
    assert batches > 0
    assert "continue with: bakeoff run --resume run" in message
    assert _holds(tmp_path, batches)


def test_a_full_disk_keeps_every_whole_batch(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        batches, message = _fill(disk, limit=0)
        assert batches > 0
        assert "No space left on device" in message
        assert _holds(disk, batches)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_names_follow_the_newest_run_even_when_the_clock_was_set_back(tmp_path: Path) -> None:
    year = datetime.now(UTC).year
    RunWriter.create(tmp_path, "m", f"{year + 1}0131t235959-full", ENVIRONMENT).close()
    assert next_run_name(tmp_path, "quick") == f"{year + 1}0201t000000-quick"
    RunWriter.create(tmp_path, "m", "zzz", ENVIRONMENT).close()
    assert next_run_name(tmp_path, "quick").startswith(f"{year}")
