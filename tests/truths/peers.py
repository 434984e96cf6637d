"""Seconds needed and errors made by this harness and by others, with their defaults, that time Python functions.

Run it with ``python -m tests.truths.peers`` after ``pip install -e .[dev,asv] pyperf``; it writes
``results/published/truths/peers.csv``. Invocations of all tools are shuffled and repeated, with a long reference
process before and after each. The truth is the mean of those two, since the machine's own speed drifts by more from
minute to minute than most tools are wrong; the table also holds the error against the median of all references.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from harness.environment import describe_machine
from harness.known.suites.same.suite import PASSES
from harness.steering import STEERING_VARIABLES

ROOT = Path(__file__).parents[2]
KINDS = tuple(PASSES)
TABLE = ROOT / "results/published/truths/peers.csv"
REFERENCE_S = 1.5

FUNCTION = """
import numpy as np
from harness.known.impls.work import work
from harness.known.suites.same.suite import make_inputs
INPUTS = make_inputs(np.random.default_rng(0), "{kind}", 0, {passes})
def function():
    return work(**INPUTS, more=0)
"""
REFERENCE = (
    FUNCTION
    + """
import time, statistics
durations, end = [], time.perf_counter() + {seconds}
function()
while time.perf_counter() < end:
    begin = time.perf_counter()
    function()
    durations.append(time.perf_counter() - begin)
print(statistics.median(durations))
"""
)
PYPERF = FUNCTION + 'import pyperf\npyperf.Runner().bench_func("{kind}", function)\n'
PYTEST = FUNCTION + "def test_function(benchmark):\n    benchmark(function)\n"
TORCH = (
    FUNCTION
    + """
from torch.utils.benchmark import Timer
print(Timer("function()", globals={{"function": function}}).blocked_autorange().median)
"""
)
# asv hands no PYTHONPATH on.
ASV = "import sys\nsys.path.insert(0, {root!r})\n" + FUNCTION + "def time_function():\n    function()\n"
ASV_CONFIGURATION = {
    "version": 1,
    "project": "peers",
    "repo": ".",
    "branches": ["HEAD"],
    "benchmark_dir": "benchmarks",
    "environment_type": "virtualenv",
}
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(folder: Path, *command: str) -> str:
    """Run a command with one thread for every library; what it printed.

    :raises RuntimeError: it failed; the message holds the end of what it said.
    """
    environment = os.environ | THREADS | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr)[-1000:]}")
    return done.stdout


def script(folder: Path, text: str, kind: str, name: str = "script.py") -> str:
    (folder / name).write_text(
        text.format(kind=kind, passes=PASSES[kind], seconds=REFERENCE_S, root=str(ROOT)), encoding="utf-8"
    )
    return str(folder / name)


def reference_s(folder: Path, kind: str) -> float:
    return float(run(folder, sys.executable, script(folder, REFERENCE, kind)))


def by_pyperf(folder: Path, kind: str) -> float:
    file = script(folder, PYPERF, kind)
    # Its workers get none of the environment but this: without what steers libraries they would compute another way.
    variables = ",".join([*THREADS, "PYTHONPATH", *(name for name in STEERING_VARIABLES if name in os.environ)])
    run(folder, sys.executable, file, "--quiet", "--inherit-environ", variables, "-o", "out.json")
    import pyperf

    return float(pyperf.Benchmark.load(str(folder / "out.json")).mean())


def by_pytest_benchmark(folder: Path, kind: str) -> float:
    file = script(folder, PYTEST, kind, "test_peer.py")
    run(folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-json=out.json", file)
    document = json.loads((folder / "out.json").read_text())
    return float(document["benchmarks"][0]["stats"]["median"])


def by_torch(folder: Path, kind: str) -> float:
    return float(run(folder, sys.executable, script(folder, TORCH, kind)))


def by_asv(folder: Path, kind: str) -> float:
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/__init__.py").touch()
    script(folder, ASV, kind, "benchmarks/peer.py")
    (folder / "asv.conf.json").write_text(json.dumps(ASV_CONFIGURATION))
    identity = ("-c", "user.name=peers", "-c", "user.email=peers@example.org")
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", *identity, "commit", "-qm", "peers")
    commit = run(folder, "git", "rev-parse", "HEAD").strip()
    asv = (sys.executable, "-m", "asv")
    run(folder, *asv, "machine", "--yes", "--config", "asv.conf.json")
    run(folder, *asv, "run", "--python=same", f"--set-commit-hash={commit}")
    (file,) = (path for path in (folder / "results").glob("*/*.json") if path.name != "machine.json")
    document = json.loads(file.read_text())
    return float(document["results"]["peer.time_function"][0][0])


def by_this(folder: Path, kind: str) -> float:
    found = run(folder, sys.executable, "-m", "harness.known", kind, "--json")
    return float(json.loads(found)["call_ns"]) * 1e-9


TOOLS: Mapping[str, Callable[[Path, str], float]] = {
    "bakeoff": by_this,
    "pyperf": by_pyperf,
    "pytest-benchmark": by_pytest_benchmark,
    "asv": by_asv,
    "torch.utils.benchmark": by_torch,
}


def measure(tool: Callable[[Path, str], float], kind: str) -> tuple[float, float]:
    """The tool's figure in seconds, and the seconds that it needed, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        figure_s = tool(Path(folder), kind)
        return figure_s, time.perf_counter() - begin


def invocations(repeats: int, tools: Sequence[str]) -> pd.DataFrame:
    """A row for each: what it found, the seconds that it needed and what the references before and after it found."""
    rows = []
    for repeat in range(repeats):
        rng = random.Random(repeat)
        for kind in rng.sample(KINDS, len(KINDS)):
            before_s = measure(reference_s, kind)[0]
            for name in rng.sample(tools, len(tools)):
                figure_s, needed_s = measure(TOOLS[name], kind)
                after_s = measure(reference_s, kind)[0]
                rows.append((kind, name, figure_s, needed_s, before_s, after_s))
                before_s = after_s
                print(
                    f"{repeat} {kind} {name}: {figure_s * 1e3:.3f} ms in {needed_s:.1f} s", file=sys.stderr, flush=True
                )
    return pd.DataFrame(rows, columns=["kind", "tool", "figure_s", "needed_s", "before_s", "after_s"])


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """By function and tool: the median seconds needed, the errors and the spread (standard deviation of logs)."""
    everywhere_s = found.groupby("kind")["after_s"].transform("median")
    log = np.log(found["figure_s"])
    table = found.assign(
        log=log,
        error=(log - np.log((found["before_s"] + found["after_s"]) / 2)).abs(),
        error_of_all=(log - np.log(everywhere_s)).abs(),
    )
    grouped = table.groupby(["kind", "tool"]).agg(
        invocations=("figure_s", "size"),
        needed_s=("needed_s", "median"),
        figure_ms=("figure_s", lambda values: 1e3 * float(np.median(values))),
        median_error=("error", "median"),
        largest_error=("error", "max"),
        median_error_of_all=("error_of_all", "median"),
        spread=("log", "std"),
        reference_ms=("after_s", lambda values: 1e3 * float(np.median(values))),
    )
    machine = describe_machine()
    return grouped.reset_index().assign(
        cpu=machine["cpu"],
        cpus=machine["cpus"],
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tool", action="append", choices=sorted(TOOLS), help="only these tools (repeatable)")
    arguments = parser.parse_args()
    table = summary(invocations(arguments.repeats, arguments.tool or list(TOOLS)))
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, index=False, float_format="%.5g")
    print(table.drop(columns=["cpu", "cpus", "taken_at"]).to_string())


if __name__ == "__main__":
    main()
