"""The same expression several times over, and whether its times are in that proportion.

Doing it k times costs k times one, so that a straight line through the times over k meets zero. What it misses zero by
is what the loop has left in the figures. In each round every k is sampled once, in random order, and gives one line.

Run it with ``python -m tests.truths.nanoseconds``; it writes ``results/published/truths/nanoseconds.csv``.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.environment import describe_machine
from harness.instruments.inline_loops import PARTS, floor_ns, make_loops, read
from harness.notices import FLOOR_FACTOR
from harness.statistics import median_estimate

TIMES = (1, 2, 3, 4)
ROUNDS, SAMPLE_NS = 60, 5e6
LINE = "\n        "
"""Between two statements in the body of a loop of :func:`harness.instruments.inline_loops.compile_loop`."""
TABLE = Path("results/published/truths/nanoseconds.csv")
EXPRESSIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "name": ("a", {"a": 1}),
    "dictionary": ("d[a]", {"d": {1: 2}, "a": 1}),
    "builtin": ("f(a)", {"f": len, "a": "text"}),
    "function": ("f(a)", {"f": lambda a: a, "a": 1}),
}


def measure_lines(expression: str, names: Mapping[str, Any], rounds: int, sample_ns: float) -> np.ndarray:
    """The height at zero, the slope and the empty loop of each round, (rounds, 3), in nanoseconds."""
    loops = [make_loops(LINE.join([expression] * times), names) for times in TIMES]
    gc.collect()
    gc.freeze()
    rng = np.random.default_rng(0)
    parts = [max(100, int(sample_ns / PARTS / (read(each, 50_000, 10_000).loop_ns + 20))) for each in loops]
    lines = np.empty((rounds, 3))
    for row in lines:
        readings = {k: read(loops[k], PARTS * parts[k], parts[k]) for k in rng.permutation(len(TIMES))}
        slope, height = np.polyfit(TIMES, [readings[k].difference_ns for k in range(len(TIMES))], 1)
        row[:] = height, slope, np.median([reading.loop_ns for reading in readings.values()])
    return lines


def main() -> None:
    rows = []
    for kind, (expression, names) in EXPRESSIONS.items():
        lines = measure_lines(expression, names, ROUNDS, SAMPLE_NS)
        height = median_estimate({(0, number): value for number, value in enumerate(lines[:, 0])})
        floor = FLOOR_FACTOR * floor_ns()
        rows.append(
            {
                "kind": kind,
                "once_ns": float(np.median(lines[:, 1])),
                "empty_loop_ns": float(np.median(lines[:, 2])),
                "left_ns": height.value,
                "low_ns": height.low,
                "high_ns": height.high,
                "floor_ns": floor,
                "left_is_under_the_floor": abs(height.value) < floor,
            }
        )
    machine = describe_machine()
    table = pd.DataFrame(rows).assign(
        cpu=machine["cpu"], cpus=machine["cpus"], taken_at=datetime.now(UTC).isoformat(timespec="seconds")
    )
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(TABLE, index=False, float_format="%.6g")
    print(table.drop(columns=["cpu", "cpus", "taken_at"]).to_string())


if __name__ == "__main__":
    main()
