"""The gates: each is given two folders, base and head, and says whether head is slower."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.comparing import Change
from tests.gate_study.work import FUNCTION

ROOT = Path(__file__).parents[2]
PERCENT = 5
"""The threshold of the tools that have a bare one: what they are commonly set to."""


@dataclass(frozen=True)
class Pair:
    """One decision to be made.

    :param threshold: share beyond which head counts as slower, for the tools that ask for an interval as well.
    """

    folder: Path
    kind: str
    threshold: float

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def head(self) -> Path:
        return self.folder / "head"


@dataclass(frozen=True)
class Verdict:
    """:param ratio: head's cost over base's by the tool's own figures; NaN where it gives none."""

    change: Change
    ratio: float


def run(folder: Path, *command: str, fails: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command with one thread for every library.

    :param fails: exit codes other than 0 that are an answer.
    :raises RuntimeError: it failed; the message holds the end of what it said.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, *fails):
        raise RuntimeError(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr)[-1000:]}")
    return done


def by_bakeoff(pair: Pair) -> Verdict:
    """The gate's own measuring and deciding, in a process of its own, without the checkout by git."""
    done = run(ROOT, sys.executable, "-m", "tests.gate_study.decide", str(pair.folder), pair.kind, str(pair.threshold))
    found = json.loads(done.stdout.splitlines()[-1])
    return Verdict(found["verdict"], float("nan") if found["ratio"] is None else found["ratio"])


def by_pytest_benchmark(pair: Pair) -> Verdict:
    """Base saved first, then head held against its fastest round."""
    for side in (pair.base, pair.head):
        _script(side, pair.kind, "test_pair.py", "def test_function(benchmark):\n    benchmark(function)\n")
    common = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pair.py")
    storage = f"--benchmark-storage=file://{pair.folder}/stored"
    run(pair.base, *common, storage, "--benchmark-save=base", "--benchmark-json=out.json")
    against = ("--benchmark-compare=0001", f"--benchmark-compare-fail=min:{PERCENT}%")
    done = run(pair.head, *common, storage, *against, "--benchmark-json=out.json", fails=(1, 2))
    fastest = [
        float(json.loads((side / "out.json").read_text())["benchmarks"][0]["stats"]["min"])
        for side in (pair.base, pair.head)
    ]
    ratio = fastest[1] / fastest[0]
    slower = done.returncode != 0
    if slower and "Performance has regressed" not in done.stdout + done.stderr:
        raise RuntimeError(f"pytest failed: {done.stdout[-1000:]}")
    return Verdict("slower" if slower else "same", ratio)


def by_pyperf(pair: Pair) -> Verdict:
    """``compare_to`` with its own test of significance."""
    for side in (pair.base, pair.head):
        text = f'import pyperf\npyperf.Runner().bench_func("{pair.kind}", function)\n'
        _script(side, pair.kind, "pair.py", text)
        variables = "OMP_NUM_THREADS,OPENBLAS_NUM_THREADS"
        run(side, sys.executable, "pair.py", "--quiet", "--inherit-environ", variables, "-o", "out.json")
    files = [str(side / "out.json") for side in (pair.base, pair.head)]
    said = run(pair.folder, sys.executable, "-m", "pyperf", "compare_to", *files).stdout
    import pyperf

    base, head = (float(pyperf.Benchmark.load(file).mean()) for file in files)
    change: Change = "slower" if "slower" in said else "faster" if "faster" in said else "same"
    return Verdict(change, head / base)


def by_asv(pair: Pair) -> Verdict:
    """What ``asv continuous`` does but for its environments: both commits run, then ``asv compare`` with its test."""
    for side in (pair.base, pair.head):
        (side / "benchmarks").mkdir(exist_ok=True)
        (side / "benchmarks" / "__init__.py").touch()
        _script(side, pair.kind, "benchmarks/pair.py", "def time_function():\n    function()\n")
    configuration = {
        "version": 1, "project": "pair", "repo": ".", "branches": ["HEAD"], "benchmark_dir": "benchmarks",
        "environment_type": "virtualenv", "results_dir": str(pair.folder / "stored"),
    }  # fmt: skip
    asv, commits = (sys.executable, "-m", "asv"), []
    for side in (pair.base, pair.head):
        (side / "asv.conf.json").write_text(json.dumps(configuration), encoding="utf-8")
        identity = ("-c", "user.name=study", "-c", "user.email=study@example.org")
        run(side, "git", "init", "-q")
        run(side, "git", "add", "-A")
        run(side, "git", *identity, "commit", "-qm", "side")
        commits.append(run(side, "git", "rev-parse", "HEAD").stdout.strip())
        run(side, *asv, "machine", "--yes", "--machine", "study", "--config", "asv.conf.json")
        run(side, *asv, "run", "--python=same", "--machine", "study", f"--set-commit-hash={commits[-1]}")
    run(pair.head, "git", "fetch", "-q", str(pair.base), "HEAD")  # asv looks both commits up
    factor = ("--factor", str(1 + PERCENT / 100))
    said = run(pair.head, *asv, "compare", "--machine", "study", *factor, *commits).stdout
    row = next(line for line in said.splitlines() if "time_function" in line)
    mark, _, _, ratio = (cell.strip() for cell in row.split("|")[1:5])
    change: Change = "slower" if "+" in mark else "faster" if "-" in mark else "same"
    number = re.search(r"\d+\.\d+", ratio)  # with a tilde before it where asv finds it insignificant
    return Verdict(change, float(number.group()) if number else float("nan"))


TOOLS: Mapping[str, Callable[[Pair], Verdict]] = {
    "bakeoff gate": by_bakeoff,
    f"pytest-benchmark min:{PERCENT}%": by_pytest_benchmark,
    "pyperf compare_to": by_pyperf,
    f"asv compare {1 + PERCENT / 100:g}": by_asv,
}


def _script(side: Path, kind: str, name: str, text: str) -> None:
    start = FUNCTION.format(project=str(side), harness=str(ROOT), kind=kind)
    (side / name).write_text(start + text, encoding="utf-8")
