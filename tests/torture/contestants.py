"""Workers that are interfered with at random: ``python -m tests.torture.contestants [COUNT] [SEED]``.

Every round starts some misbehaving contestants side by side, and while they are asked sends a random signal at a random
moment to one of their processes: a worker, its keeper, what it started, or the fork server. Whatever happens, each
question is answered, and afterwards no process, thread, file or descriptor is left. Prints one line of JSON.

Left out, because they cannot be survived or are not: stopping the fork server, which whoever did it can have go on; and
killing the keeper of a contestant that starts a program with an empty environment, by which nobody finds that program.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing.util
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path

import psutil

from harness.config import find_project
from harness.discovery import Catalogue, load_catalogue
from harness.plan import Scope, make_plan
from harness.records import STATUSES
from harness.runner.contest import Circumstances, run_contest
from harness.runner.run import Engine
from harness.runner.server import ForkServer
from harness.runner.workers import WorkerPool
from harness.trials import Trial
from harness.worker.orders import QUICK
from tests.conftest import PLAIN, SUITE
from tests.runner.contestants import DYING, HANGING, HARMLESS, RAISING, WRONG
from tests.runner.leftovers import Traces, differences

CONTESTANTS = WRONG | RAISING | DYING | HARMLESS | HANGING
SIGNALS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGHUP)
IMPATIENT = dataclasses.replace(QUICK, blocks=4, warmup_s=0.001, sample_target_ns=1e5, prepare_timeout_s=1.5)
SIDE_BY_SIDE = 4
HIDING = ("starts_daemons", "hangs_with_litter")
LONGEST_DELAY_S = 2.0


def write_project(root: Path) -> Path:
    for folder in ("suites", "impls"):
        (root / folder / "total").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n")
    (root / "suites" / "total" / "suite.py").write_text(SUITE.replace("call_timeout_s=3.0", "call_timeout_s=0.5"))
    (root / "impls" / "total" / "plain.py").write_text(PLAIN)
    for name, contestant in CONTESTANTS.items():
        body = "\n".join(f"    {line}" for line in contestant.body.splitlines())
        (root / "impls" / "total" / f"{name}.py").write_text(
            f'"""{name}."""\n{contestant.header}\nfrom harness.contract import implements\n'
            f"from suites.total.suite import SUITE\n\n\n@implements(SUITE)\ndef total(x, shift):\n{body}\n"
        )
    return root


def interfere(mark: str, hidden: bool, rng: random.Random, sent: Counter[str], stop: threading.Event) -> None:
    """One signal, after a random delay, to a random process of the pool.

    :param hidden: whether a contestant starts a program with an empty environment.
    """
    if stop.wait(rng.random() * LONGEST_DELAY_S):
        return
    own = [process for process in psutil.Process().children(recursive=True) if mark in _environment(process)]
    if own:
        process = rng.choice(own)
        depth = len(process.parents()) - len(psutil.Process().parents())
        spared = {1: (signal.SIGSTOP,), 2: (signal.SIGKILL, signal.SIGSEGV) if hidden else ()}.get(depth, ())
        number = rng.choice([each for each in SIGNALS if each not in spared])
        process.send_signal(number)
        sent[f"{number.name} to {('fork server', 'keeper', 'worker')[min(depth, 3) - 1]}"] += 1


def _environment(process: psutil.Process) -> list[str]:
    try:
        return list(process.environ().values())
    except psutil.Error:
        return []


def one_round(catalogue: Catalogue, trials: list[Trial], rng: random.Random, sent: Counter[str]) -> Counter[str]:
    """The statuses of the records of one contest that was interfered with."""
    stop = threading.Event()
    hidden = any(trial.implementation in HIDING for trial in trials)
    with WorkerPool(ForkServer(("numpy",))) as pool, ThreadPoolExecutor(1) as executor:
        engine = Engine(catalogue, IMPATIENT, pool, 2)
        pool.new_server(rng.randrange(2**32))
        interfering = executor.submit(interfere, pool.mark, hidden, rng, sent, stop)
        entries = [engine.entry(trial) for trial in trials]
        records = run_contest(entries, pool, Circumstances(2), lambda step: None)
        stop.set()
        with suppress(psutil.NoSuchProcess):
            interfering.result()
    if len(records) != len(trials) or any(record.status not in STATUSES for record in records):
        raise AssertionError(f"{len(trials)} contestants have the records {records}")
    return Counter(record.status for record in records)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    multiprocessing.util.get_temp_dir()
    resource_tracker.ensure_running()
    statuses: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    left: list[str] = []
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        catalogue = load_catalogue(find_project(write_project(Path(folder, "project"))))
        plan = make_plan(catalogue, Scope("quick", ("cpu",), 1, seed, instruments=("time",)), IMPATIENT)
        trials = {trial.implementation: trial for trial in plan.contests[0]}
        temporary = Path(folder, "temporary")
        temporary.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        for number in range(count):
            before = Traces.now()
            chosen = rng.sample(sorted(trials), SIDE_BY_SIDE)
            try:
                statuses += one_round(catalogue, [trials[name] for name in chosen], rng, sent)
            except Exception as error:
                left.append(f"round {number} of {chosen}: {type(error).__name__}: {error}")
            if found := differences(before):
                left.append(f"round {number} of {chosen}: {found}")
        os.environ["TMPDIR"] = tempfile.tempdir = str(Path(folder).parent)
    print(
        json.dumps(
            {
                "what": "contestants interfered with by signals",
                "rounds": count,
                "seed": seed,
                "signals": dict(sorted(sent.items())),
                "records": dict(statuses),
                "lost": left,
                "seconds": round(time.monotonic() - begin_s),
            }
        )
    )
    sys.exit(bool(left))


if __name__ == "__main__":
    main()
