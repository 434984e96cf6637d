"""The program as a user meets it: commands, exit codes, messages, JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]
WRONG = "yield x.sum() * 0\nyield x * 0"

ROW_KEYS = {
    "suite", "implementation", "case", "device", "dtype", "threads", "phase", "instrument", "status", "reason",
    "estimate", "low", "high", "unit", "ratio", "ratio_low", "ratio_high", "error", "share_of_ceiling",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tabel"], 2, "Did you mean 'table'"),
        (["run", "totl"], 2, "did you mean 'total'?"),
        (["run", "--profile", "quik"], 2, "did you mean 'quick'?"),
        (["run", "--instrument", "tme"], 2, "did you mean 'time'?"),
        (["run", "--where", "n"], 2, "must be AXIS=VALUE"),
        (["run", "--where", "m=3"], 2, "'m' is unknown"),
        (["run", "--where", "n=11"], 2, "n is one of 10, 100, 1000, 100000"),
        (["run", "--budget", "-3"], 2, "--budget"),
        (["run", "--impl", "nowhere.py"], 2, "there is no such file"),
        (["run", "--device", "tpu"], 2, "'tpu' is unknown"),
        (["table", "--format", "xml"], 2, "choose one of text, csv, json, parquet"),
        (["table", "--format", "parquet"], 2, "name a file with --output"),
        (["table"], 3, "make one with: bakeoff run"),
        (["claims", "nosuch"], 3, "no run 'nosuch'"),
        (["run", "total", "--resume", "nosuch", "--seed", "3"], 2, "leave out the selection, --seed"),
        (["run", "--resume", "nosuch"], 3, "no run 'nosuch'"),
    ],
)
def test_wrong_usage_says_what_is_meant(bakeoff: Bakeoff, arguments: list[str], code: int, message: str) -> None:
    done = bakeoff(*arguments)
    assert message in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_outside_a_project(bakeoff: Bakeoff, tmp_path: Path) -> None:
    done = bakeoff("list", folder=tmp_path)
    assert done.returncode == 2
    assert "[tool.bakeoff]" in done.stderr


def test_list_as_json(bakeoff: Bakeoff) -> None:
    document = json.loads(bakeoff("list", "--json").stdout)
    (suite,) = document["suites"]
    assert {"name", "title", "cases", "implementations", "claims"} <= set(suite)
    assert suite["implementations"][0] | {"title": ""} == {
        "name": "plain", "title": "", "origin": "project", "library": "", "devices": ["cpu"],
        "dtypes": ["float32", "float64"], "available": True, "reason": "",
    }  # fmt: skip


def test_a_wrong_implementation_from_outside(bakeoff: Bakeoff, add_implementation: Add, tmp_path: Path) -> None:
    """Reported wrong, no time shown, exit code 1."""
    file = add_implementation("wrong", WRONG)
    outside = tmp_path / "wrong.py"
    file.rename(outside)
    checked = bakeoff("check", "--impl", str(outside))
    assert checked.returncode == 1
    assert "WRONG  total/wrong" in checked.stdout
    ran = bakeoff("run", "--impl", str(outside), "--where", "n=100", "--json")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["counts"]["wrong"] > 0
    rows = json.loads(bakeoff("table", "--format", "json").stdout)
    wrong = [row for row in rows if row["implementation"] == "wrong"]
    assert wrong
    assert {row["status"] for row in wrong} == {"wrong"}
    assert {row["estimate"] for row in wrong} == {None}
    (origin,) = {row["origin"] for row in wrong}
    assert origin.startswith("path ")
    assert origin.endswith(f"/{outside.name}")  # without what tells of the user, such as the name of the folder


@pytest.fixture
def finished(bakeoff: Bakeoff) -> dict[str, Any]:
    done = bakeoff("run", "--json", "--seed", "4")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_run_and_all_that_reads_it(bakeoff: Bakeoff, finished: dict[str, Any], project: Path, tmp_path: Path) -> None:
    assert {"run", "records", "results", "report", "counts"} <= set(finished)
    assert finished["counts"] == {"ok": finished["records"]}
    assert Path(finished["report"]).read_text().startswith("<!DOCTYPE html>")

    rows = json.loads(bakeoff("table", "--format", "json").stdout)
    assert set(rows[0]) >= ROW_KEYS
    timed = [row for row in rows if row["instrument"] == "time" and row["phase"] == "total"]
    assert len(timed) == 3
    assert all(row["low"] <= row["estimate"] <= row["high"] and row["unit"] == "ns" for row in timed)
    assert all(row["ratio"] == 1.0 for row in timed)

    csv = bakeoff("table", "--format", "csv").stdout
    assert csv.splitlines()[0].startswith("suite,implementation,case")
    assert bakeoff("table", "--format", "parquet", "--output", str(tmp_path / "t.parquet")).returncode == 0
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == len(rows)
    assert json.loads(bakeoff("claims", "--json").stdout) == []

    environment = json.loads((Path(finished["results"]) / "environment.json").read_text())
    assert environment["seed"] == 4
    assert str(Path.home()) not in json.dumps(environment)


def test_compare_two_runs(bakeoff: Bakeoff, finished: dict[str, Any]) -> None:
    other = json.loads(bakeoff("run", "--json", "--no-report", "--instrument", "time").stdout)
    done = bakeoff("compare", finished["run"], other["run"], "--json")
    document = json.loads(done.stdout)
    assert document["verdict"] in ("faster", "slower", "same", "undecided")
    assert done.returncode == (1 if document["verdict"] == "slower" else 0)
    assert len(document["comparisons"]) == 3
    assert {"suite", "implementation", "case", "ratio", "low", "high", "verdict"} <= set(document["comparisons"][0])


def test_compare_refuses_different_machines(bakeoff: Bakeoff, finished: dict[str, Any]) -> None:
    other = json.loads(bakeoff("run", "--json", "--no-report", "--instrument", "memory").stdout)
    file = Path(other["results"]) / "environment.json"
    environment = json.loads(file.read_text())
    environment["machine"]["cpu"] = "Another CPU"
    file.write_text(json.dumps(environment))
    done = bakeoff("compare", finished["run"], other["run"])
    assert done.returncode == 3
    assert "different machines" in done.stderr


def test_a_budget_that_ends_says_how_to_go_on(bakeoff: Bakeoff) -> None:
    done = bakeoff("run", "--budget", "0", "--no-report", "--json")
    assert done.returncode == 3
    name = json.loads(done.stdout)["run"]
    assert f"bakeoff run --resume {name}" in done.stderr
    assert bakeoff("run", "--resume", name, "--no-report").returncode == 0


def test_interrupting_keeps_what_is_done(project: Path) -> None:
    """Ctrl-C in the middle: exit code 130, how to go on, no worker left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "--profile", "full", "--no-report"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(project.glob("results/*/*/records.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "bakeoff run --resume" in stderr
    assert "Traceback" not in stderr


def test_doctor_as_json(bakeoff: Bakeoff) -> None:
    document = json.loads(bakeoff("doctor", "--json").stdout)
    assert document["clock"]["resolution_ns"] > 0
    assert set(document["sensors"]) == {"cpu", "cuda"}
    assert {noise["kind"] for noise in document["noise"]} == {"python", "arithmetic", "memory"}
    assert all(noise["ratio"] > 0 and noise["half_width"] >= 0 for noise in document["noise"])
    assert {ceiling["dtype"] for ceiling in document["ceilings"]} == {"float32", "float64"}
    assert document["worker_start_ms"] > 0


def test_version(bakeoff: Bakeoff) -> None:
    assert bakeoff("--version").stdout.startswith("bakeoff ")


def test_an_installed_package_adds_an_implementation(project: Path, tmp_path: Path) -> None:
    """An entry point is listed with its origin, without being imported, and measured like the project's own."""
    site = tmp_path / "site"
    (site / "theirs").mkdir(parents=True)
    (site / "theirs" / "__init__.py").write_text("")
    text = (project / "impls" / "total" / "plain.py").read_text()
    (site / "theirs" / "summing.py").write_text(text)
    metadata = site / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bakeoff.implementations]\nshared = theirs.summing\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
        command = [sys.executable, "-m", "harness", *arguments]
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)

    (suite,) = json.loads(run("list", "--json").stdout)["suites"]
    origins = {listed["name"]: listed["origin"] for listed in suite["implementations"]}
    assert origins == {"plain": "project", "shared": "package theirs"}
    done = run("check", "total/shared", "--json")
    assert done.returncode == 0, done.stderr
    assert {check["status"] for check in json.loads(done.stdout)["checks"]} == {"ok"}
