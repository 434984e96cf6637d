"""A function that spins until a given reading of the clock, and how long the timer says that it takes.

The readings of successive calls are a fixed time apart, so that what a call costs besides spinning, and what the system
takes away in between, is made up for by the next one: the truth of a sample is that time, whatever happens in it.

Run it with ``python -m tests.truths.waiting``; it writes ``results/published/truths/waiting.csv``.
"""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from harness.contract import Output, Suite, Tolerance, grid, implements
from harness.environment import describe_machine
from harness.instruments.timing import CpuTimer, calibrate, warm_up
from harness.statistics import median_estimate

DURATIONS_US = (10, 100, 1_000, 10_000, 100_000)
SAMPLE_NS, SAMPLES, WARMUP_S = 20e6, 40, 0.05
TABLE = Path("results/published/truths/waiting.csv")
ANSWER = np.zeros(1)

SUITE = Suite(
    name="waiting",
    title="Waiting by looking at the clock",
    cases=grid(duration_ns=[1000 * duration for duration in DURATIONS_US]),
    make_inputs=lambda rng, duration_ns: {"schedule": Schedule(duration_ns)},
    reference=lambda schedule: {"nothing": ANSWER},
    phases={"call": (Output("nothing", Tolerance({"float64": 0.0})),)},
    baseline="spin",
    axis="duration_ns",
    dtypes={"cpu": ("float64",)},
)


class Schedule:
    """The readings until which the calls of one sample spin, the first counted from the first call."""

    def __init__(self, duration_ns: int) -> None:
        self.duration_ns = duration_ns
        self.end_ns = 0


@implements(SUITE, dtypes=("float64",))
def spin(schedule):  # type: ignore[no-untyped-def]
    end_ns = schedule.end_ns = (schedule.end_ns or time.perf_counter_ns()) + schedule.duration_ns
    while time.perf_counter_ns() < end_ns:
        pass
    return ANSWER


def measure_waiting(duration_ns: int, samples: int = SAMPLES, sample_ns: float = SAMPLE_NS) -> list[float]:
    """Nanoseconds per call, sample by sample."""

    def fresh_inputs() -> dict[str, Schedule]:
        return {"schedule": Schedule(duration_ns)}

    gc.collect()
    gc.freeze()
    timer = CpuTimer(spin)
    warmup = warm_up(timer, fresh_inputs, ("call",), WARMUP_S)
    calibration = calibrate(warmup, sample_ns, timer.overhead_ns(fresh_inputs, ("call",)))
    return [
        timer.sample(fresh_inputs, ("call",), calibration.iterations, calibration.part)["call"] for _ in range(samples)
    ]


def main() -> None:
    rows = []
    for microseconds in DURATIONS_US:
        samples = measure_waiting(1000 * microseconds)
        measured = median_estimate({(0, block): value / 1e3 for block, value in enumerate(samples)})
        rows.append(
            {
                "truth_us": microseconds,
                "measured_us": measured.value,
                "low_us": measured.low,
                "high_us": measured.high,
                "error": measured.value / microseconds - 1,
                "within_1_percent": abs(measured.value / microseconds - 1) < 0.01,
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
