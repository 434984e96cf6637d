"""``bakeoff reproduce`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]
Add = Callable[..., Path]
RIGHT = "yield x.sum() + x.dtype.type(shift)\nyield x - x.mean()"


def test_a_run_is_repeated_and_compared(
    bakeoff: Bakeoff, add_implementation: Add, project: Path, tmp_path: Path
) -> None:
    add_implementation("second", RIGHT)
    outside = add_implementation("outside", RIGHT).rename(tmp_path / "outside.py")
    asked = ("--where", "n=10", "--instrument", "time", "--impl", str(outside), "--no-report", "--json")
    old = json.loads(bakeoff("run", *asked).stdout)

    again = bakeoff("reproduce", old["run"], "--impl", str(outside), "--no-report", "--json")
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert said["old"] == old["run"] != said["new"]
    assert said["reproduced"]
    assert said["differences"] == []
    outcomes = {(figure["kind"], figure["outcome"]) for figure in said["figures"]}
    assert outcomes >= {("status", "identical"), ("error", "identical")}
    assert not {outcome for _, outcome in outcomes} & {"different", "missing"}
    assert sum(said["costs"].values()) == 3

    add_implementation("second", "yield x.sum() * 0\nyield x * 0")
    worse = bakeoff("reproduce", old["run"], "--no-report")
    assert worse.returncode == 1
    assert "total/outside (path" in worse.stderr
    assert "name its file with --impl" in worse.stderr
    assert "different: total/second n=10" in worse.stdout
    assert "-> wrong: " in worse.stdout
    assert "missing: total/outside" in worse.stdout
    assert "not the same: see above" in worse.stdout

    stored = bakeoff("reproduce", old["run"], "--with", said["new"])
    assert stored.returncode == 0, stored.stderr
    assert f"{old['run']} repeated as {said['new']}" in stored.stdout
    assert len(list((project / "results").glob("*/*/records.jsonl"))) == 3


def test_a_budget_that_ends_says_how_to_go_on(bakeoff: Bakeoff, project: Path) -> None:
    old = json.loads(bakeoff("run", "--instrument", "time", "--no-report", "--json").stdout)["run"]
    done = bakeoff("reproduce", old, "--budget", "0", "--no-report")
    assert done.returncode == 3
    assert f"then: bakeoff reproduce {old} --with" in done.stderr
    assert bakeoff("reproduce", "nosuch").returncode == 3
