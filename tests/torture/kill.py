"""Kill the program at random moments, over and over, and see whether anything was lost.

``python -m tests.torture.kill --kills 100`` runs a small project to its end without a disturbance, and then again and
again with SIGKILL at a random moment, resumed until it is finished. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from harness.loading import load_run
from harness.store import RECORDS_FILE
from tests.conftest import PLAIN, SUITE, start_program

OPTIONS = ("--no-report", "--json")
SCOPE = ("--instrument", "time", "--instrument", "memory")
LEFT_AFTER_S = 5.0


@dataclass
class Outcome:
    """What a campaign found; everything but ``kills``, ``runs`` and ``resumed`` should be nothing.

    :param lost: trials that were stored before a kill and not after the resumption, although nothing had changed.
    :param twice: trials that are stored more than once in a finished run.
    :param torn: lines of a finished run that are no record.
    :param different: finished runs whose trials are not those of the undisturbed run.
    :param failed: resumptions that ended with another exit code than 0.
    :param strays: processes that outlived a killed run.
    """

    kills: int = 0
    runs: int = 0
    resumed: int = 0
    lost: int = 0
    twice: int = 0
    torn: int = 0
    different: int = 0
    failed: int = 0
    strays: int = 0
    messages: list[str] = field(default_factory=list)

    @property
    def nothing_lost(self) -> bool:
        return not any((self.lost, self.twice, self.torn, self.different, self.failed, self.strays))


def make_project(folder: Path) -> None:
    """The suite of the tests with three contestants that take a few milliseconds."""
    (folder / "suites" / "total").mkdir(parents=True)
    (folder / "impls" / "total").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n")
    (folder / "suites" / "total" / "suite.py").write_text(SUITE)
    for name in ("plain", "second", "third"):
        (folder / "impls" / "total" / f"{name}.py").write_text(PLAIN)


def campaign(folder: Path, kills: int, seed: int) -> Outcome:
    """Kill ``kills`` times in as many runs as that takes."""
    rng = random.Random(seed)
    outcome = Outcome()
    begin = time.monotonic()
    _run(folder, "--results", str(folder / "undisturbed")).wait()
    undisturbed_s = time.monotonic() - begin
    expected = set(_keys(folder / "undisturbed"))
    while outcome.kills < kills:
        outcome.runs += 1
        results = folder / f"results-{outcome.runs}"
        running = _run(folder, "--results", str(results))
        while outcome.kills < kills and not _ends_within(running, rng.uniform(0, undisturbed_s)):
            outcome.strays += _kill(running)
            outcome.kills += 1
            before = _keys(results)
            names = [file.parent.name for file in results.glob("*/*/environment.json")]
            if not names:  # killed before the run had a name; there is nothing to resume
                running = _run(folder, "--results", str(results))
                continue
            outcome.resumed += 1
            running = _run(folder, "--results", str(results), "--resume", names[0])
            outcome.lost += _lost(running, results, before, rng, undisturbed_s)
        code = running.wait()
        _judge(outcome, results, expected, code, running)
    return outcome


def _lost(
    running: subprocess.Popen[str], results: Path, before: list[str], rng: random.Random, undisturbed_s: float
) -> int:
    """How many of the trials stored before are gone once the resumed run has settled what it keeps."""
    _ends_within(running, rng.uniform(0, undisturbed_s))
    torn = _torn(results)
    return len(set(before) - set(_keys(results)) - torn)


def _torn(results: Path) -> set[str]:
    """Trials of batches that a kill cut: those are measured again, and what was there of them is kept aside."""
    aside: set[str] = set()
    for file in results.glob("*/*/superseded-*.jsonl"):
        rows = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
        together = Counter(row["batch"] for row in rows)
        aside |= {_key(row) for row in rows if row["batch"] and together[row["batch"]] < row["batch_size"]}
    return aside


def _judge(outcome: Outcome, results: Path, expected: set[str], code: int, running: subprocess.Popen[str]) -> None:
    if code != 0:
        outcome.failed += 1
        outcome.messages.append((running.stderr.read() if running.stderr else "")[-500:])
        return
    found = _keys(results)
    outcome.twice += len(found) - len(set(found))
    outcome.different += set(found) != expected
    (path,) = (file.parent for file in results.glob(f"*/*/{RECORDS_FILE}"))
    outcome.torn += len(load_run(path).warnings)


def _keys(results: Path) -> list[str]:
    """The trials that are stored, whatever their seed, in the order of the lines; what is no JSON is left out."""
    keys = []
    for file in results.glob(f"*/*/{RECORDS_FILE}"):
        for line in file.read_text(errors="replace").splitlines():
            try:
                keys.append(_key(json.loads(line)))
            except ValueError:
                continue
    return keys


def _key(row: dict[str, object]) -> str:
    names = ("suite", "implementation", "case", "device", "dtype", "threads", "instrument", "round", "probe", "until")
    return json.dumps([row[name] for name in names], sort_keys=True)


def _run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    scope = () if "--resume" in arguments else SCOPE  # a resumed run has its own
    return start_program(folder, "run", *OPTIONS, *scope, *arguments, stdout=subprocess.DEVNULL)


def _ends_within(running: subprocess.Popen[str], seconds: float) -> bool:
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill(running: subprocess.Popen[str]) -> int:
    """Kill the program alone; how many of its processes are there some seconds later."""
    try:
        descendants = psutil.Process(running.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        descendants = []
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    return len(psutil.wait_procs(descendants, timeout=LEFT_AFTER_S)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_project(Path(folder))
        outcome = campaign(Path(folder), arguments.kills, arguments.seed)
    print(json.dumps({"seed": arguments.seed, **asdict(outcome), "nothing_lost": outcome.nothing_lost}))
    sys.exit(0 if outcome.nothing_lost else 1)


if __name__ == "__main__":
    main()
