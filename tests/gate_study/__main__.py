"""The study: ``python -m tests.gate_study [--minutes N]``, which goes on where it was stopped.

Every gate gets the same pairs: a kind of work, a share that head does more, a quiet or a loaded machine. All in one
run, in random order, so that a drift of the machine favours none. Decisions are appended to
``reports/published/gate_study.csv`` as they are made; ``gate_study.md`` and its figure are made of all of them.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.gate_study.report import write_report
from tests.gate_study.tools import ROOT, TOOLS, Pair
from tests.gate_study.work import KINDS, write_side
from tests.truths.same_twice import load

STORED = ROOT / "reports" / "published" / "gate_study.csv"
SHARES = (0, 2, 5, 10, 20)
# Of each kind of work, quiet and loaded. More are asked of our gate than of the others: by twenty decisions on
# identical code a rate of 1 in 100 is not seen, by 300 it is. pyperf takes more than half a minute for each.
DECISIONS = {
    "bakeoff gate": {0: 50, 2: 17, 5: 34, 10: 34, 20: 17},
    "pyperf compare_to": dict.fromkeys(SHARES, 2),
}
FEW = dict.fromkeys(SHARES, 4)
# To find 2 % more, the threshold must be below it.
THRESHOLDS = {0: 0.02, 2: 0.01, 5: 0.02, 10: 0.02, 20: 0.02}
LOADS = (0, 1)


@dataclass(frozen=True)
class Job:
    """One decision: which tool, on what, and the how manieth of its kind."""

    tool: str
    kind: str
    more_percent: int
    load: int
    repeat: int


def jobs() -> list[Job]:
    """All decisions of the study."""
    found = []
    for tool in TOOLS:
        for kind in KINDS:
            for share in SHARES:
                for processes in LOADS:
                    repeats = range(DECISIONS.get(tool, FEW)[share])
                    found += [Job(tool, kind, share, processes, repeat) for repeat in repeats]
    return found


def left(done: Counter[Job]) -> list[Job]:
    """Rounds over all kinds of decision, so that a study that is cut short holds some of each."""
    todo = [job for job in jobs() if not done[job]]
    random.Random(len(done)).shuffle(todo)
    return sorted(todo, key=lambda job: job.repeat / DECISIONS.get(job.tool, FEW)[job.more_percent])


def stored() -> Iterator[dict[str, str]]:
    if STORED.exists():
        with STORED.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def decide(job: Job) -> dict[str, object]:
    """Make one decision; the seconds are the tool's own from its start, both sides included."""
    with tempfile.TemporaryDirectory(prefix="gate-study-") as folder, load(job.load):
        pair = Pair(Path(folder), job.kind, THRESHOLDS[job.more_percent])
        write_side(pair.base, 0)
        write_side(pair.head, job.more_percent)
        begin = time.perf_counter()
        verdict = TOOLS[job.tool](pair)
        seconds = time.perf_counter() - begin
    row = {**asdict(job), "threshold": pair.threshold, "verdict": verdict.change, "ratio": verdict.ratio}
    return row | {"seconds": round(seconds, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0, help="stop starting decisions after so long")
    parser.add_argument("--tool", action="append", choices=sorted(TOOLS), help="only these (repeatable)")
    parser.add_argument("--report-only", action="store_true", help="write the table and the figure of what is stored")
    arguments = parser.parse_args()
    rows = list(stored())
    names = ("kind", "more_percent", "load", "repeat")
    done = Counter(
        Job(row["tool"], row["kind"], *(int(row[name]) for name in names[1:])) for row in rows if row["tool"] in TOOLS
    )
    end = time.monotonic() + arguments.minutes * 60
    for job in left(done):
        if arguments.report_only or time.monotonic() > end:
            break
        if arguments.tool and job.tool not in arguments.tool:
            continue
        row = decide(job)
        STORED.parent.mkdir(parents=True, exist_ok=True)
        fresh = not STORED.exists()
        with STORED.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        print(" ".join(f"{name}={value}" for name, value in row.items()), file=sys.stderr, flush=True)
    write_report(STORED, len(jobs()))


if __name__ == "__main__":
    main()
