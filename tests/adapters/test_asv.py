"""asv measures each commit's own code through the generated benchmarks, over two commits and over a range of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.environment import cpu_model, usable_cpus
from harness.naming import slug
from tests.conftest import PLAIN, ROOT, SUITE

pytest.importorskip("asv")

NAPPING = PLAIN.replace("    yield x.sum()", "    time.sleep(NAP_S)\n    yield x.sum()")
NAPS_S = (0.001, 0.02, 0.02)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three commits: its implementation sleeps longer from the second on."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "suites" / "total").mkdir(parents=True)
    (folder / "impls" / "total").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n")
    (folder / "suites" / "total" / "suite.py").write_text(SUITE)
    (folder / ".gitignore").write_text(".asv\nresults\n.asv-machine.json\n__pycache__\n")
    configuration = json.loads((ROOT / "asv.conf.json").read_text()) | {
        "benchmark_dir": str(ROOT / "harness" / "adapters" / "asv_suites"),
        "environment_type": "checkout",
        "pythons": [f"{sys.version_info.major}.{sys.version_info.minor}"],
    }
    (folder / "asv.conf.json").write_text(json.dumps(configuration))
    run(folder, sys.executable, "-m", "harness.adapters.asv_machine", "test")
    run(folder, "git", "init", "-q", "-b", "main")
    for number, nap_s in enumerate(NAPS_S):
        text = NAPPING.replace("from harness", f"import time\n\nNAP_S = {nap_s}  # commit {number}\nfrom harness", 1)
        (folder / "impls" / "total" / "plain.py").write_text(text)
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-q", "-m", f"commit {number}", when=f"2026-01-0{number + 1}T00:00:00Z")
    return folder


def run(folder: Path, *command: str, when: str = "", codes: tuple[int, ...] = (0,)) -> str:
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"), ("DATE", when))
        if value
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **identity, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode in codes, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def asv(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    return run(folder, sys.executable, "-m", "asv", *arguments, codes=codes)


ONE = ("--machine", "test", "--bench", r"total\.time_call\('plain', 'n=100'\)")


def test_two_commits_and_a_range(repository: Path) -> None:
    """``asv continuous`` finds the slower of two commits; a range is measured, published and read back in order."""
    said = asv(repository, "continuous", *ONE, "HEAD~2", "HEAD~1", codes=(1,))
    assert "suites.total.time_call('plain', 'n=100')" in said
    assert "PERFORMANCE DECREASED" in said
    asv(repository, "run", *ONE, "--skip-existing", "HEAD~2..HEAD")
    asv(repository, "publish")
    assert (repository / "reports" / "asv" / "index.html").is_file()
    table = run(repository, sys.executable, "-m", "harness", "history", "total/plain", "--format", "json")
    rows = [row for row in json.loads(table) if row["status"] == "ok"]
    assert [row["date"][:10] for row in rows] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    kind = slug(f"{cpu_model()}-{usable_cpus()}cpu")  # as a stored run's environment has it
    assert {(row["case"], row["instrument"], row["machine"]) for row in rows} == {("n=100", "time", kind)}
    assert [row["value"] > nap_s * 1e9 for row, nap_s in zip(rows, NAPS_S, strict=True)] == [True] * 3
    files = {row["commit"]: row["source"] for row in rows}
    first, second, third = (files[row["commit"]] for row in rows)
    found = run(repository, sys.executable, "-m", "harness", "compare", first, second, codes=(1,))
    assert "slower" in found
    run(repository, sys.executable, "-m", "harness", "compare", second, third)


def test_another_python_than_the_running_one_is_refused(repository: Path) -> None:
    said = asv(repository, "run", *ONE, "--environment", "checkout:2.7", "HEAD^!", codes=(1,))
    assert "checkout: this is Python" in said
