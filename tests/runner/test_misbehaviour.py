"""Contestants that misbehave become records with the right status, and the others are measured all the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.loading import load_run, resolve_run
from harness.records import Record

RIGHT = "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()"
Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]

# name: (header of the module, body, status, part of the reason)
MISBEHAVIOUR: dict[str, tuple[str, str, str, str]] = {
    "zeros": ("", "yield x.sum() * 0\nyield x * 0", "wrong", "total is off by 1"),
    "raises": ("", "yield x.sum()\nraise RuntimeError('no <b>luck</b>')", "failed", "RuntimeError: no <b>luck</b>"),
    "segfaults": ("import ctypes", "yield ctypes.string_at(0)", "crashed", "SIGSEGV"),
    "exits": ("import os", "os._exit(3)\nyield 0", "crashed", "exited with code 3"),
    "leaves": ("import sys", "sys.exit(0)\nyield 0", "failed", "SystemExit"),
    "interrupts": ("", "raise KeyboardInterrupt\nyield 0", "failed", "KeyboardInterrupt"),
    "greedy": ("import numpy", "numpy.ones(2**50)\nyield 0", "out_of_memory", "Unable to allocate"),
    "absent": ("import no_such_package", RIGHT, "unavailable", "package no_such_package is not installed"),
    "typo": ("import suites.total.siute", RIGHT, "failed", "suites.total.siute"),
    "one_phase": ("", "yield x.sum() + 2", "wrong", "ended before it yielded"),
}


@pytest.fixture
def records(bakeoff: Bakeoff, add_implementation: Add, project: Path) -> dict[str, list[Record]]:
    """One run over all of them and the right one, by implementation."""
    for name, (header, body, _, _) in MISBEHAVIOUR.items():
        add_implementation(name, body, header)
    done = bakeoff("run", "--where", "n=10", "--no-report", "--json", "--instrument", "time")
    assert done.returncode == 1, done.stderr
    found: dict[str, list[Record]] = {}
    for record in load_run(resolve_run(project / "results", None)).records:
        found.setdefault(record.trial.implementation, []).append(record)
    return found


def test_each_is_a_record_and_the_run_goes_on(records: dict[str, list[Record]]) -> None:
    for name, (_, _, status, reason) in MISBEHAVIOUR.items():
        for record in records[name]:
            assert (name, record.status) == (name, status), record.reason
            assert reason in record.reason
            assert record.samples == ()
    assert {record.status for record in records["plain"]} == {"ok"}
    assert all(record.measured for record in records["plain"])


def test_a_hang_is_a_timeout(bakeoff: Bakeoff, add_implementation: Add, project: Path) -> None:
    """Right in the check, hangs while it is warmed up: the call's own time limit (3 s in this suite) ends it."""
    add_implementation(
        "hangs", f"CALLS.append(1)\nif len(CALLS) > 2:\n    time.sleep(1000)\n{RIGHT}", "import time\nCALLS = []"
    )
    done = bakeoff("run", "total/hangs", "--where", "n=10", "--no-report", "--json", "--instrument", "time")
    assert done.returncode == 1
    (record, *_) = load_run(resolve_run(project / "results", None)).records
    assert record.status == "timeout"
    assert "no answer within 13 s in step 'calibrate'" in record.reason


def test_wrong_only_later_voids_the_samples(bakeoff: Bakeoff, add_implementation: Add, project: Path) -> None:
    """An answer that is right at first and wrong after the timing shows no time."""
    add_implementation(
        "tires",
        "CALLS.append(1)\nyield x.sum() + x.dtype.type(shift) * (len(CALLS) < 4)\nyield x - x.mean()",
        "CALLS = []",
    )
    bakeoff("run", "total/tires", "--where", "n=10", "--no-report", "--json", "--instrument", "time")
    (record, *_) = load_run(resolve_run(project / "results", None)).records
    assert record.status == "wrong"
    assert record.reason.startswith("after timing, on inputs not seen before")
    assert record.samples == ()


def test_what_a_contestant_prints_and_starts_does_not_stay(
    bakeoff: Bakeoff, add_implementation: Add, project: Path
) -> None:
    """Output goes nowhere near ours, and a child that would outlive its worker is ended with it."""
    marker = "300.0625"
    add_implementation(
        "noisy",
        f"print('noise' * 1000)\nsubprocess.Popen(['sleep', '{marker}'])\n{RIGHT}",
        "import subprocess",
    )
    done = bakeoff("run", "total/noisy", "--where", "n=10", "--no-report", "--json", "--instrument", "memory")
    assert json.loads(done.stdout)["counts"] == {"ok": 1}
    left = [process for process in psutil.process_iter(["cmdline"]) if marker in (process.info["cmdline"] or [])]
    assert left == []


def test_same_seed_same_plan_and_inputs(bakeoff: Bakeoff, project: Path) -> None:
    """Errors against the reference depend on the inputs alone, so equal errors mean equal inputs."""
    runs: list[Any] = []
    for seed in ("7", "7", "8"):
        done = bakeoff("run", "--seed", seed, "--no-report", "--json", "--instrument", "time")
        run = load_run(Path(json.loads(done.stdout)["results"]))
        runs.append([(record.trial.key, dict(record.errors)) for record in run.records])
    assert runs[0] == runs[1]
    assert [errors for _, errors in runs[0]] != [errors for _, errors in runs[2]]


def test_resume_measures_only_what_is_missing(bakeoff: Bakeoff, project: Path) -> None:
    done = bakeoff("run", "--seed", "5", "--no-report", "--json")
    path = Path(json.loads(done.stdout)["results"])
    whole = load_run(path)
    lines = (path / "records.jsonl").read_text().splitlines()
    (path / "records.jsonl").write_text("\n".join(lines[:3]) + "\n" + lines[3][:40])
    again = bakeoff("run", "--resume", path.name, "--no-report", "--json")
    assert again.returncode == 0, again.stderr
    mended = load_run(path)
    assert sorted(record.trial.key for record in mended.records) == sorted(record.trial.key for record in whole.records)
    assert mended.warnings == ()
