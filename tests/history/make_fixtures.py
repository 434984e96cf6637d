"""Makes ``tests/fixtures/history`` with the installed tools: ``python -m tests.history.make_fixtures``.

A git repository with two commits, of which the second sorts twice, benchmarks of a stranger (with parameters, a
failure, a skip and a figure that is no time), and this project's small example suite.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import PLAIN, ROOT, SUITE

FIXTURES = ROOT / "tests" / "fixtures" / "history"
BENCHMARKS = '''
"""Benchmarks of a stranger."""
import sorting


class TimeSort:
    params = [[100, 1000], ["up", "it's down"]]
    param_names = ["length", "order"]

    def setup(self, length, order):
        if length == 1000 and order == "up":
            raise NotImplementedError("not this one")
        self.data = list(range(length))[:: 1 if order == "up" else -1]

    def time_sort(self, length, order):
        sorting.sort(self.data)


def time_fails():
    raise RuntimeError("broken")


def peakmem_list():
    return [0] * 100_000


def track_lines():
    return 12


track_lines.unit = "lines"
'''
SORTING = "def sort(data):\n    return sorted(data)\n"
SLOWER = "def sort(data):\n    sorted(data)\n    return sorted(data)\n"
TEST = """
import pytest
import sorting


@pytest.mark.parametrize("length", [100, 1000])
def test_sort(benchmark, length):
    benchmark.pedantic(sorting.sort, args=(list(range(length))[::-1],), rounds=40, iterations=10)


def test_of_a_suite(benchmark):
    benchmark.extra_info.update(suite="total", implementation="plain", case={"n": 100}, dtype="float64")
    benchmark.pedantic(sum, args=(range(100),), rounds=20, iterations=10)
"""
CONFTEST = """
def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["node"] = "host"
    machine_info["cpu"].pop("flags", None)


def pytest_benchmark_update_commit_info(config, commit_info):
    commit_info["project"] = "sorting"
"""
MACHINE = {"machine": "fixture", "os": "Linux", "arch": "x86_64", "cpu": "A CPU", "num_cpu": "2", "ram": "4 GB"}


def configuration(name: str, benchmarks: str) -> dict[str, object]:
    return {
        "version": 1, "project": "sorting", "repo": ".", "branches": ["HEAD"], "environment_type": "checkout",
        "pythons": [f"{sys.version_info.major}.{sys.version_info.minor}"],
        "plugins": [".harness.adapters.asv_checkout"],
        "benchmark_dir": benchmarks, "env_dir": ".asv/env", "results_dir": f"results/{name}", "html_dir": ".asv/html",
    }  # fmt: skip


def run(folder: Path, *command: str, ok: tuple[int, ...] = (0,)) -> str:
    environment = os.environ | {
        "HOME": str(folder), "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull, "OMP_NUM_THREADS": "1",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"), ("DATE", "2026-01-01T00:00:00Z"))},
    }  # fmt: skip
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def make_repository(folder: Path) -> tuple[str, str]:
    """Two commits of a project with a module, benchmarks and a suite; their hashes."""
    files = {
        "sorting.py": SORTING,
        "benchmarks/__init__.py": "",
        "benchmarks/stranger.py": BENCHMARKS,
        "test_sorting.py": TEST,
        "conftest.py": CONFTEST,
        "pyproject.toml": "[tool.bakeoff]\npreload = ['numpy']\n",
        "suites/total/suite.py": SUITE,
        "impls/total/plain.py": PLAIN,
        ".gitignore": ".asv\nresults\n.benchmarks\n.cache\n__pycache__\n*.json\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run(folder, "git", "init", "-q", "-b", "main")
    commits = []
    for message, text in (("first", SORTING), ("slower", SLOWER)):
        (folder / "sorting.py").write_text(text)
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-q", "-m", message)
        commits.append(run(folder, "git", "rev-parse", "HEAD").strip())
    return commits[0], commits[1]


def make_asv(folder: Path, name: str, benchmarks: str, *options: str) -> Path:
    """Results of both commits."""
    file = f"{name}.json"
    (folder / file).write_text(json.dumps(configuration(name, benchmarks)))
    asv = (sys.executable, "-m", "asv")
    (folder / ".asv-machine.json").write_text(json.dumps({"fixture": MACHINE, "version": 1}))
    run(folder, *asv, "run", "--config", file, "--machine", "fixture", *options, "ALL", ok=(0, 2))
    return folder / "results" / name


def main() -> None:
    shutil.rmtree(FIXTURES, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_repository(folder)
        for kind, benchmarks, options in (
            ("stranger", "benchmarks", ()),
            ("samples", "benchmarks", ("--record-samples",)),
            ("suites", str(ROOT / "harness/adapters/asv_suites"), ()),
        ):
            shutil.copytree(make_asv(folder, kind, benchmarks, *options), FIXTURES / "asv" / kind)
        pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-only")
        run(folder, *pytest, "--benchmark-json=whole.json")
        run(folder, *pytest, "--benchmark-autosave", "--benchmark-storage=saved")
        (FIXTURES / "pytest_benchmark").mkdir()
        shutil.copy(folder / "whole.json", FIXTURES / "pytest_benchmark" / "whole.json")
        (saved,) = (folder / "saved").glob("*/*.json")
        shutil.copy(saved, FIXTURES / "pytest_benchmark" / "quartiles.json")


if __name__ == "__main__":
    main()
