"""``bakeoff gate`` as a user meets it, on a repository with commits that do more or less of the same work."""

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
from xml.etree import ElementTree

import pytest

from harness.gate.deciding import LOOKS
from tests.conftest import ROOT, start_program
from tests.gate.repository import IMPLEMENTATION, Repository

Gate = Callable[..., "subprocess.CompletedProcess[str]"]
# One case and one instrument decide in some seconds; what noise there is has tests of its own.
QUICKLY = ("--no-noise", "--where", "n=10", "--instrument", "time", "--seed", "5")
WRONG = IMPLEMENTATION.replace("yield x.sum()", "yield 2 * x.sum()")
CALLS_TO_CHECK = 40
# Counts its calls in a file; each that comes after those of the check stays for a while, in all for many seconds.
LINGERING = "import time\nfrom pathlib import Path\n" + IMPLEMENTATION.replace(
    "AMOUNT = {amount}", "CALLS = Path({calls!r})"
).replace(
    "    done = 0.0\n    for _ in range(AMOUNT):\n        done += 1.0\n",
    '    with CALLS.open("a") as calls:\n'
    '        calls.write(".")\n'
    "    if CALLS.stat().st_size > {more_than}:\n"
    "        time.sleep(0.2)\n",
)


@pytest.fixture
def gate(repository: Repository) -> Gate:
    """Run the gate in the repository, with ``PYTHONPATH`` as given."""

    def run(*arguments: str, path: tuple[Path, ...] = (), folder: Path | None = None) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "harness", "gate", *arguments],
            cwd=folder or repository.project,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path)))},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def half_more(repository: Repository) -> Repository:
    """A second commit with half as much work again."""
    repository.write_amount(3000)
    repository.commit("half as much again")
    return repository


@pytest.fixture
def tenth_more(repository: Repository) -> Repository:
    """Two more commits, the second with a tenth more work than the first."""
    for amount in (10_000, 11_000):
        repository.write_amount(amount)
        repository.commit(f"{amount} loops")
    return repository


def test_a_slower_head_is_named_and_fails(tenth_more: Repository, gate: Gate, tmp_path: Path) -> None:
    comment, report = tmp_path / "comment.md", tmp_path / "report.xml"
    done = gate("--base", "HEAD~1", *QUICKLY, "--markdown", str(comment), "--junit", str(report))
    assert done.returncode == 1, done.stderr
    assert "slower: 1 comparison of 1" in done.stdout
    assert "total/looping n=10 float32" in done.stdout
    assert "skipped 1 implementation: same code, same packages on both sides" in done.stdout
    assert "slower" in comment.read_text().splitlines()[2]
    assert ElementTree.parse(report).getroot().get("failures") == "1"
    assert tenth_more.worktrees == 1
    assert tenth_more.git("status", "--porcelain") == ""


def test_the_other_way_round_it_is_faster(tenth_more: Repository, gate: Gate) -> None:
    done = gate("--base", "HEAD", "--head", "HEAD~1", *QUICKLY, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (comparison,) = document["comparisons"]
    assert (document["verdict"], comparison["verdict"]) == ("faster", "faster")
    assert comparison["high"] < 1
    assert comparison["rounds"] in LOOKS
    assert document["head"].startswith("HEAD~1 (")


def test_the_same_commit_has_nothing_to_measure(repository: Repository, gate: Gate) -> None:
    done = gate("--base", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "nothing changed that is measured" in done.stdout
    assert "skipped 2 implementations" in done.stdout


def test_the_same_commit_measured_all_the_same(repository: Repository, gate: Gate) -> None:
    """With memory; the threshold is one that no machine's noise reaches."""
    done = gate(
        "--base", "HEAD", "total/looping", "--all", "--threshold", "40", "--no-noise", "--where", "n=10", "--json"
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "same"
    assert {each["instrument"] for each in document["comparisons"]} == {"time", "memory"}


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (WRONG.format(amount=2000), "wrong"),
        (IMPLEMENTATION.format(amount="int('many')"), "invalid literal"),
        ("import impls.nowhere\n" + IMPLEMENTATION.format(amount=2000), "No module named 'impls.nowhere'"),
        ("def f(:\n", "impls/total/looping.py cannot be read as Python"),
    ],
)
def test_a_head_that_is_wrong_or_does_not_import(repository: Repository, gate: Gate, head: str, reason: str) -> None:
    repository.write("impls/total/looping.py", head)
    done = gate("--base", "HEAD", *QUICKLY, "--json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["verdict"] == "slower"
    assert document["comparisons"] == []
    assert any(reason in f"{fault['status']} {fault['reason']}" for fault in document["broken"])


def test_what_was_wrong_before_is_not_counted(repository: Repository, gate: Gate) -> None:
    repository.write("impls/total/looping.py", WRONG.format(amount=2000))
    repository.commit("wrong")
    repository.write("impls/total/looping.py", WRONG.format(amount=2001))
    repository.write_amount(2000, "another")
    done = gate("--base", "HEAD", *QUICKLY)
    assert "in base already" in done.stdout
    assert "New and right, with nothing to compare with: total/another" in done.stdout
    assert done.returncode == 3  # of what could be compared nothing was


def test_a_new_one_that_is_wrong(repository: Repository, gate: Gate) -> None:
    repository.write("impls/total/another.py", WRONG.format(amount=2000))
    done = gate("--base", "HEAD", *QUICKLY)
    assert done.returncode == 1
    assert "broken: total/another" in done.stdout


def test_a_package_that_is_not_installed_is_the_environments_fault(repository: Repository, gate: Gate) -> None:
    repository.write("impls/total/looping.py", "import not_installed\n" + IMPLEMENTATION.format(amount=2000))
    done = gate("--base", "HEAD", *QUICKLY)
    assert done.returncode == 3
    assert "package not_installed is not installed" in done.stdout


def test_a_base_that_cannot_be_read(repository: Repository, gate: Gate) -> None:
    repository.write("impls/total/looping.py", "def f(:\n")
    repository.commit("broken")
    repository.write_amount(2000)
    done = gate("--base", "HEAD")
    assert done.returncode == 3
    assert "cannot be read, so there is nothing to compare with: impls/total/looping.py" in done.stderr


def test_a_change_in_a_library_that_is_installed_from_the_working_tree(repository: Repository, gate: Gate) -> None:
    """Each side runs its own, although the environment has only head's. The change is not even committed."""
    repository.write("src/library.py", "AMOUNT = 2000\n")
    text = IMPLEMENTATION.format(amount="library.AMOUNT")
    repository.write("impls/total/looping.py", f"import library\n{text}")
    repository.commit("with a library")
    repository.git("checkout", "--quiet", "--detach")
    repository.write("src/library.py", "AMOUNT = 3000\n")
    done = gate("--base", "HEAD", *QUICKLY, path=(repository.project / "src",))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "slower: 1 comparison of 1" in done.stdout
    assert "src/library.py changed" in done.stdout
    assert "detached, with 1 uncommitted file" in done.stdout


def test_more_memory_is_found_and_passes_where_it_is_accepted(repository: Repository, gate: Gate) -> None:
    """An acceptance that has ended beside it is told and counts no more."""
    text = IMPLEMENTATION.replace("    yield x.sum()", "    kept = bytearray(SIZE)\n    yield x.sum()")
    for megabytes in (8, 16):
        repository.write("impls/total/looping.py", f"SIZE = {megabytes}_000_000\n" + text.format(amount=200))
        repository.commit(f"{megabytes} MB")
    table = "[[tool.bakeoff.gate.accepted]]\nwhat = 'total/looping'\n"
    ended = table + "reason = 'as we thought'\nuntil = 2001-12-31\n"
    wanted = table + "reason = 'it keeps more'\nuntil = 2999-12-31\n"
    repository.write("pyproject.toml", f"[tool.bakeoff]\npreload = ['numpy']\n{ended}{wanted}")
    done = gate("--base", "HEAD~1", "--no-noise", "--where", "n=10", "--instrument", "memory", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (comparison,) = document["comparisons"]
    assert (comparison["instrument"], comparison["verdict"]) == ("memory", "slower")
    assert 1.8 < comparison["ratio"] < 2.2
    assert comparison["accepted"] == "it keeps more"
    assert document["verdict"] == "same"
    assert [each["reason"] for each in document["expired"]] == ["as we thought"]


def test_a_budget_ends_it_undecided(half_more: Repository, gate: Gate) -> None:
    done = gate("--base", "HEAD~1", *QUICKLY, "--budget", "0", "--strict")
    assert done.returncode == 4, done.stderr
    assert "undecided" in done.stdout
    assert "The budget ended" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "--base"),
        (["--base", "mian"], 2, "did you mean 'main'?"),
        (["--base", "main", "--head", "mian"], 2, "did you mean 'main'?"),
        (["--base", "main", "totl"], 2, "did you mean 'total"),
        (["--base", "main", "--instrument", "tme"], 2, "did you mean 'time'?"),
        (["--base", "main", "--junit", "nowhere/x.xml"], 2, "there is no folder"),
    ],
)
def test_wrong_usage_says_what_is_meant(gate: Gate, arguments: list[str], code: int, message: str) -> None:
    done = gate(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_rules_are_wrong_usage(repository: Repository, gate: Gate) -> None:
    repository.write("pyproject.toml", "[tool.bakeoff]\n[tool.bakeoff.gate]\ntiem = 3\n")
    done = gate("--base", "main")
    assert done.returncode == 2
    assert "unknown key 'tiem'" in done.stderr


def test_outside_a_repository_and_in_a_shallow_clone(repository: Repository, gate: Gate, tmp_path: Path) -> None:
    repository.commit("another")
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.top}", str(clone))
    done = gate("--base", "HEAD~1", folder=clone)
    assert done.returncode == 3
    assert "fetch-depth: 0" in done.stderr
    subprocess.run(["rm", "-rf", str(clone / ".git")], check=True)
    done = gate("--base", "HEAD~1", folder=clone)
    assert done.returncode == 3
    assert "is no git work tree" in done.stderr


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing_checked_out(
    repository: Repository, sent: signal.Signals, code: int, tmp_path: Path
) -> None:
    """While it measures a head that takes long."""
    calls = tmp_path / "calls"
    repository.write("impls/total/looping.py", LINGERING.format(calls=str(calls), more_than=CALLS_TO_CHECK))
    repository.commit("takes long")
    running = start_program(repository.project, "gate", "--base", "HEAD~1", *QUICKLY)
    for _ in range(1200):
        if calls.exists() and calls.stat().st_size > CALLS_TO_CHECK:
            break
        time.sleep(0.05)
    assert repository.worktrees == 2
    running.send_signal(sent)
    _, said = running.communicate(timeout=30)
    assert running.returncode == code, said
    assert "Traceback" not in said
    assert repository.worktrees == 1
