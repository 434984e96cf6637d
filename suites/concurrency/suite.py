"""Processes and threads: what it costs to start, to switch between and to send to them, and what they gain.

Phases: ``create`` starts the workers and ends when they are there, ``work`` does the task, which is computing, waiting,
switching or sending, and delivers; ``join`` ends the workers. A pool that is kept for the next call creates and joins
nothing. A switch is half a round trip of ping-pong. Workers are as many as the case says, whatever number of threads
the trial allows to libraries; each computes with one thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Case, Inputs, Output, Suite, Tolerance, Work, grid
from suites.concurrency.ballast import Ballast
from suites.concurrency.claims import CLAIMS
from suites.concurrency.data import image_rows, whole_numbers
from suites.concurrency.job import MODULUS, PAGE_BYTES, Cpus, Job, Task
from suites.concurrency.probes import PROBES
from suites.concurrency.reference import reference

__all__ = ["SUITE", "Job"]

PIECES = 12
"""Enough for two, three and four workers to have equal shares."""
IMAGE_COLUMNS = 512
MEGABYTE = 10**6
# The most that is checked in place of larger cases.
CHECKED: Mapping[str, int] = {
    "sum": 100_000, "sha256": 100_000, "filter": 60, "python": 30_000, "dict": 10_000, "attributes": 10_000,
    "calls": 10_000, "wait": 12_000, "ping_pong": 200, "transfer": 100_000,
}  # fmt: skip
EXACT = Tolerance({"*": 0.0})


def make_inputs(
    rng: np.random.Generator,
    task: Task,
    workers: int,
    n: int = 0,
    cpus: Cpus = "any",
    resident_mb: float = 0.0,
    huge_pages: bool = False,
) -> Inputs:
    """A job of ``n`` numbers, bytes, rows, steps, microseconds or trips, see :class:`suites.concurrency.job.Job`.

    :param resident_mb: what the caller holds in memory beside, in units of 10**6 bytes, every page written to.
    """
    pieces = {"empty": 0, "ping_pong": 1, "transfer": 1}.get(task, PIECES)
    if task == "sum":
        data = whole_numbers(rng, n)
    elif task == "transfer":
        data = whole_numbers(rng, n // 8)
    elif task == "sha256":
        data = rng.integers(256, size=n, dtype=np.uint8)
    elif task == "filter":
        data = image_rows(rng, n)
    else:
        data = np.empty(0)
    return {
        "data": data,
        "seeds": rng.integers(MODULUS, size=pieces),
        "job": Job(task, workers, pieces, n, cpus),
        "ballast": Ballast(round(resident_mb * MEGABYTE), huge_pages),
    }


def work(itemsize: int, task: Task, workers: int, n: int = 0, **_: Any) -> Mapping[str, Work]:
    """What has to be computed and moved at least, which creating workers is no part of.

    An array that is sent is read once and written once, a copy into memory that both have; one to sum is read once.
    Waiting, switching and hashing have no operations that could be compared with the machine's.
    """
    if task == "transfer":
        return {"work": Work(flops=0.0, bytes_read=float(n), bytes_written=float(n))}
    if task == "sum":
        return {"work": Work(flops=float(n), bytes_read=float(n * itemsize))}
    if task == "filter":
        pixels = float(n * IMAGE_COLUMNS)
        return {"work": Work(flops=8 * pixels, bytes_read=pixels)}
    return {"work": Work(flops=0.0, bytes_read=float(n) if task == "sha256" else 0.0)}


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Less of the same, and without memory beside it: the answer has nothing to do with that."""
    small = {**case, "resident_mb": 0.0} if "resident_mb" in case else dict(case)
    return {**small, "n": min(case["n"], CHECKED[case["task"]])} if "n" in case else small


SUITE = Suite(
    name="concurrency",
    title="Processes and threads: starting, switching, sharing and computing",
    cases=(
        grid(task=["sum"], n=[10_000, 50_000, 250_000], workers=[2])
        + grid(task=["empty"], workers=[1])
        + grid("full", task=["empty"], workers=[2, 4, 8])
        + grid("full", task=["sum"], n=[1_000_000, 10_000_000], workers=[1, 2, 4])
        + grid("full", task=["python"], n=[2_000_000], workers=[1, 2, 4])
        + grid("full", task=["dict", "attributes", "calls"], n=[2_000_000], workers=[1])
        + grid("full", task=["sha256"], n=[10_000, 1_000_000, 100_000_000], workers=[2])
        + grid("full", task=["sha256"], n=[100_000_000], workers=[1, 4])
        + grid("full", task=["filter"], n=[2_000], workers=[1, 2, 4])
        + grid("full", task=["wait"], n=[120_000], workers=[1, 2, 4, 12])
        + grid("full", task=["ping_pong"], n=[1_000], workers=[2], cpus=["any", "one", "two"])
        + grid("full", task=["transfer"], n=[10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9], workers=[1])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={"create": (), "work": (Output("checksums", EXACT, "int64"),), "join": ()},
    baseline="serial",
    naive="serial",
    axis="n",
    work=work,
    check_case=check_case,
    edge_cases=(
        grid(task=["empty"], workers=[3])
        + grid(task=["sum"], n=[0, 7], workers=[2])
        + grid(task=["sha256"], n=[30_001], workers=[2])
        + grid(task=["python"], n=[1_001], workers=[2])
        + grid(task=["filter"], n=[7], workers=[2])
        + grid(task=["dict", "attributes", "calls"], n=[1_007], workers=[1])
        + grid(task=["wait"], n=[6_000], workers=[3])
        + grid(task=["ping_pong"], n=[100], workers=[2], cpus=["any", "one"])
        + grid(task=["transfer"], n=[0, 8, 3 * PAGE_BYTES + 8], workers=[1])
        + (Case.of({"task": "empty", "workers": 1, "resident_mb": 1.0, "huge_pages": True}),)
    ),
    several_cpus=True,
    call_timeout_s=120.0,
    bare_workers=True,
    cast=(),
    dtypes={"cpu": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
)
