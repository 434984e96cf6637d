"""Whether asv's figures of the generated benchmarks agree with those of ``bakeoff run``.

Run it with ``python -m tests.truths.asv_agrees`` after ``pip install -e .[asv]``; it takes three minutes, prints a
table and adds it to ``results/published/truths/asv_agrees.csv``. asv measures before and after our runs, so that a
drift of the machine hits both. Two figures agree when the interval of their ratio holds 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from harness.config import find_project
from harness.discovery import load_catalogue
from harness.environment import describe_machine
from harness.history.comparing import Outcome, compare_histories
from harness.history.entries import Entry, History
from harness.history.sources import open_history

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "results/published/truths/asv_agrees.csv"
IMPLEMENTATIONS = ("numpy_naive", "numpy_tiled_fa2", "torch_math", "torch_naive")
WHERE = {"seq_len": "128", "causal": "False"}
MACHINE = "here"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(folder: Path, *command: str, cwd: Path = ROOT) -> str:
    """What the command printed.

    :raises RuntimeError: it failed; the message holds the end of what it said.
    """
    environment = {**os.environ, **ONE_THREAD, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:5])} failed: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def configure_asv(folder: Path) -> None:
    """asv's configuration with results in ``folder``, and a machine of a name that says nothing."""
    document = json.loads((ROOT / "asv.conf.json").read_text())
    document |= {
        "repo": str(ROOT),
        "plugins": [],
        "benchmark_dir": str(ROOT / document["benchmark_dir"]),
        "results_dir": str(folder / "asv"),
        "env_dir": str(folder / "environments"),
    }
    (folder / "asv.conf.json").write_text(json.dumps(document))
    run(folder, sys.executable, "-m", "harness.adapters.asv_machine", MACHINE, cwd=folder)


def asv(folder: Path, *arguments: str) -> None:
    run(folder, sys.executable, "-m", "asv", *arguments, cwd=folder)


def measure_by_asv(folder: Path) -> None:
    """Its own number of samples, added to those of an earlier call."""
    names, axes = "|".join(IMPLEMENTATIONS), "".join(f"(?=.*{axis}={value})" for axis, value in WHERE.items())
    asv(
        folder, "run", "--python=same", "--machine", MACHINE, "--record-samples", "--append-samples",
        "--set-commit-hash", run(folder, "git", "rev-parse", "HEAD").strip(),
        "--bench", rf"attention\.time_call\('({names})', {axes}",
    )  # fmt: skip


def measure_by_us(folder: Path, implementation: str, rounds: int) -> History:
    """Alone, as asv measures it: in a contest every sample finds what the others have left in the caches."""
    conditions = [part for axis, value in WHERE.items() for part in ("--where", f"{axis}={value}")]
    said = run(
        folder, sys.executable, "-m", "harness", "run", f"attention/{implementation}",
        *conditions, "--device", "cpu", "--instrument", "time", "--rounds", str(rounds), "--no-report",
        "--results", str(folder / "runs"), "--json",
    )  # fmt: skip
    return open_history(Path(json.loads(said)["results"]), ROOT)


def table_of(outcome: Outcome, ours: History, theirs: History) -> pd.DataFrame:
    """One row per implementation: both figures in microseconds with their intervals, and their ratio."""
    rows = []
    machine = describe_machine()
    for comparison in outcome.comparisons:
        row: dict[str, object] = {"implementation": comparison.implementation, "case": comparison.case}
        for name, history in (("bakeoff", ours), ("asv", theirs)):
            figure = next(each.figure for each in history.entries if _is(each, comparison.implementation))
            assert figure is not None
            estimate = figure.estimate().scaled(1e-3)
            row |= {f"{name}_us": estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high,
                    f"{name}_from": figure.rests_on}  # fmt: skip
        ratio = comparison.ratio
        row |= {"asv_over_bakeoff": ratio.value, "low": ratio.low, "high": ratio.high,
                "agree": ratio.low <= 1.0 <= ratio.high}  # fmt: skip
        rows.append(row)
    taken_at = datetime.now(UTC).isoformat(timespec="seconds")
    load = machine["load_average"][1]  # of five minutes, about as long as this takes
    return pd.DataFrame(rows).assign(cpu=machine["cpu"], cpus=machine["cpus"], load=load, taken_at=taken_at)


def _is(entry: Entry, implementation: str) -> bool:
    return entry.figure is not None and entry.implementation == implementation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="processes of our run")
    arguments = parser.parse_args()
    dtypes = {suite.name: suite.dtypes["cpu"] for suite in load_catalogue(find_project(ROOT)).suites.values()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configure_asv(folder)
        measure_by_asv(folder)
        ours = [measure_by_us(folder, implementation, arguments.rounds) for implementation in IMPLEMENTATIONS]
        measure_by_asv(folder)
        (file,) = (path for path in (folder / "asv" / MACHINE).glob("*.json") if re.match(r"[0-9a-f]{8}-", path.name))
        theirs = open_history(file, ROOT)
        table = pd.concat(
            [table_of(compare_histories(each, theirs, dtypes=dtypes), each, theirs) for each in ours], ignore_index=True
        )
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False, float_format="%.5g")
    print(table.drop(columns=["cpu", "cpus", "taken_at"]).to_string())


if __name__ == "__main__":
    main()
