"""How often the same work under two names is called different, and how often a twentieth more of it is found.

Run it with ``python -m tests.truths.same_twice``; it adds its counts to ``results/published/truths/``. With
``--load N`` it keeps N other processes busy meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import multiprocessing
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from harness.comparing import decide
from harness.environment import describe_machine, usable_cpu_numbers
from harness.known.measure import KnownRatio, measure_known
from harness.worker.orders import PROCESSES

# Called different: the whole 99 % interval is beyond one per cent.
CONFIDENCE = 0.99
THRESHOLD = 0.01
ROUNDS, BLOCKS = 10, 28
PAIRS = dataclasses.replace(
    PROCESSES,
    rounds=ROUNDS,
    fewest_rounds=ROUNDS,
    blocks=BLOCKS,
    fewest_blocks=BLOCKS,
    precision=0.0,
    sample_target_ns=1e6,
)
TABLE = Path("results/published/truths/same_twice.csv")


def busy() -> None:
    """For as long as the parent lives, however it ends."""
    parent = os.getppid()
    while os.getppid() == parent:
        sum(range(100_000))


@contextlib.contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep ``processes`` others busy for as long as the context lasts."""
    others = [multiprocessing.get_context("spawn").Process(target=busy, daemon=True) for _ in range(processes)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.kill()


def rows(ratios: list[KnownRatio], seconds: float, load_processes: int) -> pd.DataFrame:
    """One row per kind of work and truth: comparisons, calls of a difference, the widths of the intervals."""
    found = []
    for ratio in ratios:
        estimate = ratio.estimate(CONFIDENCE)
        found.append(
            {
                "kind": ratio.case["kind"],
                "truth": ratio.truth,
                "different": decide(estimate, THRESHOLD) in ("slower", "faster"),
                "covered": estimate.low <= ratio.truth <= estimate.high,
                "ratio": estimate.value,
                "half_width": (estimate.high - estimate.low) / 2,
            }
        )
    table = pd.DataFrame(found)
    grouped = table.groupby(["kind", "truth"]).agg(
        comparisons=("different", "size"),
        called_different=("different", "sum"),
        intervals_with_truth=("covered", "sum"),
        median_ratio=("ratio", "median"),
        median_half_width=("half_width", "median"),
    )
    machine = describe_machine()
    return grouped.reset_index().assign(
        load=load_processes,
        seconds_per_pair=round(seconds / len(ratios), 2),
        cpu=machine["cpu"],
        cpus=machine["cpus"],
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", type=int, default=0, help="processes to keep busy meanwhile")
    parser.add_argument("--repeats", type=int, default=67, help="comparisons of each of the three kinds of work")
    parser.add_argument(
        "--with",
        dest="other",
        choices=["second", "slower"],
        default="second",
        help="the same again, or a twentieth more",
    )
    arguments = parser.parse_args()
    begin = time.monotonic()
    with load(arguments.load):
        ratios = measure_known(
            [arguments.other],
            PAIRS,
            repeats=arguments.repeats,
            seed=secrets.randbits(32),
            cpus=usable_cpu_numbers(),
        )
    table = rows(ratios, time.monotonic() - begin, arguments.load)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
