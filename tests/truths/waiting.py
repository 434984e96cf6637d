"""A function that waits for a given reading of the clock, measured by the whole engine.

Run it with ``python -m tests.truths.waiting``; it writes ``results/published/truths/waiting.csv``.
"""

from __future__ import annotations

import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from harness.claims.observations import Measurements
from harness.config import Project
from harness.contract import TOTAL, Case
from harness.discovery import load_catalogue
from harness.environment import describe_machine, usable_cpu_numbers
from harness.known.measure import Silent
from harness.needs import Need
from harness.plan import Scope, make_plan
from harness.records import Record
from harness.runner.run import Engine, execute
from harness.runner.workers import Deadline, WorkerPool
from harness.statistics import median_estimate
from harness.worker.orders import PROCESSES

DURATIONS_US = (10, 100, 1_000, 10_000, 100_000)
TABLE = Path("results/published/truths/waiting.csv")

SUITE = f'''
"""Waiting by looking at the clock."""
import numpy as np
from harness.contract import Output, Suite, Tolerance, grid

SUITE = Suite(
    name="waiting",
    title="Waiting by looking at the clock",
    cases=grid(microseconds={list(DURATIONS_US)}),
    make_inputs=lambda rng, microseconds: {{"microseconds": microseconds}},
    reference=lambda microseconds: {{"waited": np.array([float(microseconds)])}},
    phases={{"call": (Output("waited", Tolerance({{"float64": 0.0}})),)}},
    baseline="spin",
    axis="microseconds",
    dtypes={{"cpu": ("float64",)}},
)
'''
SPIN = '''
"""Looks at the clock until it shows the end."""
import time
import numpy as np
from harness.contract import implements
from waiting_suites.waiting.suite import SUITE


@implements(SUITE, dtypes=("float64",))
def spin(microseconds):
    end = time.perf_counter_ns() + 1000 * microseconds
    while time.perf_counter_ns() < end:
        pass
    return np.array([float(microseconds)])
'''


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        suites, impls = root / "waiting_suites" / "waiting", root / "waiting_impls" / "waiting"
        for place, name, text in ((suites, "suite.py", SUITE), (impls, "spin.py", SPIN)):
            place.mkdir(parents=True)
            (place / name).write_text(text, encoding="utf-8")
        project = Project(root, suites.parent, impls.parent, root / "results", root / "reports", ("numpy",))
        catalogue = load_catalogue(project)
        scope = Scope("quick", ("cpu",), 1, secrets.randbits(32), instruments=("time",))
        records: list[Record] = []
        with WorkerPool(project.preload) as pool:
            pool.new_server(0)
            engine = Engine(catalogue, PROCESSES, pool, 1, usable_cpu_numbers())
            execute(make_plan(catalogue, scope, PROCESSES), engine, records.append, Silent(), Deadline(None))
    found = Measurements(records, {})
    machine = describe_machine()
    rows = []
    for microseconds in DURATIONS_US:
        need = Need("spin", Case.of({"microseconds": microseconds}), "time", "float64")
        estimate = median_estimate(found.costs("waiting", need, TOTAL))
        rows.append(
            {
                "truth_us": microseconds,
                "measured_us": estimate.value / 1e3,
                "low_us": estimate.low / 1e3,
                "high_us": estimate.high / 1e3,
                "error": estimate.value / (1e3 * microseconds) - 1,
                "within_1_percent": abs(estimate.value / (1e3 * microseconds) - 1) < 0.01,
            }
        )
    table = pd.DataFrame(rows).assign(
        cpu=machine["cpu"], cpus=machine["cpus"], taken_at=datetime.now(UTC).isoformat(timespec="seconds")
    )
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, index=False, float_format="%.6g")
    print(table.drop(columns=["cpu", "cpus", "taken_at"]).to_string())


if __name__ == "__main__":
    main()
