"""Ctrl-C in the middle of a run, and what a later run makes of it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.loading import load_run, resolve_run
from harness.store import RECORDS_FILE
from tests.conftest import start_program

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]
RUN = ("run", "--no-report", "--instrument", "time", "--seed", "5")


@pytest.fixture
def slow(add_implementation: Add) -> None:
    """A contestant that keeps each contest going for a while."""
    body = "time.sleep(0.1)\nyield x.sum() + x.dtype.type(shift)\nyield x - x.mean()"
    add_implementation("slow", body, header="import time")


def wait_for_records(project: Path) -> None:
    """Until the first contest is stored, so that the second is under way."""
    for _ in range(600):
        if any(file.stat().st_size for file in project.glob(f"results/*/*/{RECORDS_FILE}")):
            return
        time.sleep(0.1)
    raise TimeoutError("no record was stored")


def test_once_finishes_what_is_in_hand_and_the_run_can_go_on(project: Path, slow: None, bakeoff: Bakeoff) -> None:
    running = start_program(project, *RUN)
    wait_for_records(project)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "press Ctrl-C again to stop at once" in said
    path = resolve_run(project / "results", None)
    assert f"bakeoff run --resume {path.name}" in said
    stored = load_run(path)
    assert stored.warnings == ()
    assert len(stored.records) == 4  # the contest that was under way as well

    left = json.loads(bakeoff("run", "--resume", path.name, "--dry-run", "--json").stdout)
    assert left["kept"] == 4
    assert {(row["implementation"], row["reason"]) for row in left["trials"]} == {
        ("plain", "not measured yet"),
        ("slow", "not measured yet"),
    }
    done = bakeoff("run", "--resume", path.name, "--no-report", "--json")
    assert done.returncode == 0, done.stderr
    keys = [record.trial.key for record in load_run(path).records]
    assert len(keys) == len(set(keys)) == 6
    again = bakeoff("run", "--resume", path.name, "--dry-run")
    assert "0 trials would run; 6 records still hold" in again.stdout


def test_twice_stops_at_once_and_leaves_no_process(project: Path, add_implementation: Add) -> None:
    add_implementation(
        "endless", "time.sleep(2.5)\nyield x.sum() + x.dtype.type(shift)\nyield x - x.mean()", "import time"
    )
    running = start_program(project, *RUN)
    for _ in range(600):
        descendants = psutil.Process(running.pid).children(recursive=True)
        if len(descendants) >= 3:
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "go on with: bakeoff run --resume" in said
    _, alive = psutil.wait_procs(descendants, timeout=10)
    assert alive == []


def test_a_program_that_stood_still_marks_the_sample(project: Path, slow: None) -> None:
    running = start_program(project, *RUN)
    wait_for_records(project)
    time.sleep(0.7)
    running.send_signal(signal.SIGSTOP)
    time.sleep(2.0)
    running.send_signal(signal.SIGCONT)
    running.communicate(timeout=60)
    records = load_run(resolve_run(project / "results", None)).records
    marked = [sample for record in records for sample in record.samples if "gap" in sample.flags]
    assert 1 <= len(marked) <= 2


def test_two_runs_into_one_folder_do_not_meet(project: Path) -> None:
    both = [start_program(project, *RUN) for _ in range(2)]
    for each in both:
        each.communicate(timeout=60)
    assert [each.returncode for each in both] == [0, 0]
    runs = sorted(file.parent for file in project.glob(f"results/*/*/{RECORDS_FILE}"))
    assert len(runs) == 2
    for run in runs:
        assert len(load_run(run).records) == 3


def test_a_run_that_is_being_written_cannot_be_resumed(project: Path, slow: None, bakeoff: Bakeoff) -> None:
    running = start_program(project, *RUN)
    wait_for_records(project)
    running.send_signal(signal.SIGSTOP)
    refused = bakeoff("run", "--resume", resolve_run(project / "results", None).name)
    running.send_signal(signal.SIGCONT)
    running.communicate(timeout=60)
    assert running.returncode == 0
    assert refused.returncode == 3
    assert "is being written by another bakeoff" in refused.stderr


def test_results_removed_in_the_middle_are_put_back(project: Path, slow: None) -> None:
    running = start_program(project, *RUN)
    wait_for_records(project)
    subprocess.run(["rm", "-rf", str(project / "results")], check=True)
    running.communicate(timeout=60)
    assert running.returncode == 0
    run = load_run(resolve_run(project / "results", None))
    assert len(run.records) == 6
    assert run.environment["seed"] == 5
