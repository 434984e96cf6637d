"""Contestants that misbehave become records with the right status, and the others are measured all the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.environment import usable_cpus
from harness.loading import load_run, resolve_run
from harness.records import Record
from tests.runner.contestants import DYING, HARMLESS, RAISING, RIGHT, WITNESS, WRONG

NOTICED = {"threads_changed", "left_processes"}
Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]

CONTESTANTS = WRONG | RAISING | DYING | HARMLESS
NEEDS_TWO_CPUS = ("takes_cpus",)


@pytest.fixture
def records(
    nothing_left: Path, bakeoff: Bakeoff, add_implementation: Add, project: Path
) -> Iterator[dict[str, list[Record]]]:
    """One run over all of them and the right one, by implementation."""
    for name, contestant in (CONTESTANTS | {"witness": WITNESS}).items():
        add_implementation(name, contestant.body, contestant.header)
    done = bakeoff("run", "--where", "n=10", "--no-report", "--json", "--instrument", "time")
    assert done.returncode == 1, done.stderr
    found: dict[str, list[Record]] = {}
    for record in load_run(resolve_run(project / "results", None)).records:
        found.setdefault(record.trial.implementation, []).append(record)
    yield found
    assert sorted(file.name for file in project.iterdir() if not file.name.startswith((".", "__"))) == [
        "impls", "pyproject.toml", "results", "suites",
    ]  # fmt: skip


def test_each_is_a_record_and_the_run_goes_on(records: dict[str, list[Record]]) -> None:
    for name, contestant in CONTESTANTS.items():
        (record,) = records[name]
        assert (name, record.status, record.reason) == (name, contestant.status, record.reason)
        assert contestant.reason in record.reason
        assert len(record.reason) < 700
        assert bool(record.measured) == (contestant.status == "ok")
        if contestant.flags is not None and (name not in NEEDS_TWO_CPUS or usable_cpus() > 1):
            assert (name, set(record.flags) & NOTICED) == (name, set(contestant.flags))
    for name in ("plain", "witness"):
        assert [record.status for record in records[name]] == ["ok"], records[name]
        assert all(record.measured for record in records[name])


def test_a_name_that_exists_is_refused_before_anything_runs(
    bakeoff: Bakeoff, add_implementation: Add, project: Path, tmp_path: Path
) -> None:
    outside = add_implementation("plain_copy", RIGHT).rename(tmp_path / "plain.py")
    done = bakeoff("run", "--impl", str(outside), "--no-report")
    assert done.returncode == 2
    assert "are both called total/plain; rename one file" in done.stderr
    assert not (project / "results").exists()


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
    # Of something that is not measured again; this suite, which has no work model, has none of its own.
    ceiling = {
        "device": "cpu", "dtype": "float32", "threads": 1, "matmul_flops_per_s": 1e9, "copy_bytes_per_s": 1e9
    }  # fmt: skip
    description = json.loads((path / "environment.json").read_text())
    (path / "environment.json").write_text(json.dumps(description | {"ceilings": [ceiling]}))
    whole = load_run(path)
    assert len(whole.environment["ceilings"]) == 1
    lines = (path / "records.jsonl").read_text().splitlines()
    (path / "records.jsonl").write_text("\n".join(lines[:3]) + "\n" + lines[3][:40])
    again = bakeoff("run", "--resume", path.name, "--no-report", "--json")
    assert again.returncode == 0, again.stderr
    mended = load_run(path)
    assert sorted(record.trial.key for record in mended.records) == sorted(record.trial.key for record in whole.records)
    assert mended.warnings == ()
    assert mended.environment == whole.environment
