"""One decision as the gate makes it: ``python -m tests.gate_study.decide FOLDER KIND THRESHOLD``; prints JSON."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

from harness.environment import usable_cpu_numbers
from harness.gate.deciding import SequentialRule
from harness.gate.engines import GATE, Engines
from harness.gate.measuring import Measuring, Pairing, Series
from harness.gate.revisions import Checkout
from harness.gate.sides import Side, load_side
from harness.known.measure import Silent
from harness.plan import Scope
from harness.runner.server import ForkServer
from harness.runner.workers import Deadline, WorkerPool
from harness.worker.orders import Settings

# With the start of the process before it and the round that is under way when it ends, a decision takes under 10 s.
BUDGET_S = 9.0
ROOT = Path(__file__).parents[2]


def side_in(folder: Path, name: str) -> Side:
    side: Path = folder / name
    return load_side("base" if name == "base" else "head", Checkout(name, "", side, side), ROOT)


def measure_pair(
    folder: Path, kind: str, threshold: float, rule: SequentialRule, settings: Settings, budget_s: float | None
) -> Series:
    """The time of head against that of base, measured until the rule has decided or the budget ends."""
    seed = secrets.randbits(32)
    base, head = side_in(folder, "base"), side_in(folder, "head")
    scope = Scope("quick", ("cpu",), 1, seed, instruments=("time",), where={"kind": kind})
    plan = base.plan({("pieces", "work")}, scope, settings)
    (trial,) = (trial for contest in plan.contests for trial in contest)
    pairing = Pairing(trial, {"time": Series("time", threshold)})
    with WorkerPool(ForkServer(("numpy",))) as pool:
        engines = Engines(base, head, settings, pool, 2, usable_cpu_numbers())
        Measuring([pairing], {"time": rule}, engines, Silent(), Deadline(budget_s), seed).run()
    if pairing.faults:
        raise RuntimeError("; ".join(f"{side}: {record.reason}" for side, record in pairing.faults.items()))
    return pairing.series["time"]


def main() -> None:
    series = measure_pair(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), SequentialRule(), GATE, BUDGET_S)
    if series.decision is None:
        print(json.dumps({"verdict": "undecided", "ratio": None, "rounds": 0}))
    else:
        verdict, ratio, rounds = series.decision.verdict, series.decision.ratio.value, series.decision.rounds
        print(json.dumps({"verdict": verdict, "ratio": ratio, "rounds": rounds}))


if __name__ == "__main__":
    main()
