"""All-reduce: P ranks hold a buffer each, and every one of them ends with the sum of all.

Phases: ``start`` gives the ranks their values, in the first call of a process after making them and their connections;
``warm_up`` is one all-reduce in every buffer, ``reduce`` one more in
every buffer with the values that there were at first. Time is taken around all ranks: it begins when they are told to
and ends when the slowest has ended, so that the average over ranks flatters nobody. Small buffers are reduced several
times in a row, and the figure is for one of them; what telling the ranks costs is in it, shared among those.

Over loopback, and with more ranks than processors, times say what processes and copying cost. They are no statement
about networks, which are those of the throttled links and, in probes, of the simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Tolerance, Work, grid
from suites.allreduce.claims import CLAIMS
from suites.allreduce.data import Data, draw
from suites.allreduce.model import critical_path
from suites.allreduce.probes import PROBES
from suites.allreduce.reference import measure_errors, reference
from suites.allreduce.settings import Settings, Transport

__all__ = ["SUITE", "Settings"]

LARGEST_CHECKED = 70_001
MOST_REPEATS = 10
REPEATED_ELEMENTS = 2**18


def repeats(n: int) -> int:
    """How many all-reduces one call does: small ones would take no longer than telling the ranks to begin."""
    return min(MOST_REPEATS, max(1, REPEATED_ELEMENTS // max(n, 1)))


def make_inputs(
    rng: np.random.Generator, n: int, ranks: int, transport: Transport = "shared", data: Data = "normal"
) -> Inputs:
    """``addends`` (ranks, n) in float32, of which row r is rank r's."""
    return {"addends": draw(rng, data, ranks, n), "settings": Settings(ranks, repeats(n), transport)}


def work(itemsize: int, n: int, ranks: int, **others: Any) -> Mapping[str, Work]:
    """All ranks together for one buffer: P - 1 additions for each element, every buffer read once and written once."""
    once = Work(
        flops=float((ranks - 1) * n),
        bytes_read=float(itemsize * ranks * n),
        bytes_written=float(itemsize * ranks * n),
    )
    return {"start": Work(0.0), "warm_up": once, "reduce": once}


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """A size that no number of ranks divides, where the reference would be large."""
    return {**case, "n": min(case["n"], LARGEST_CHECKED)}


SUITE = Suite(
    name="allreduce",
    title="All-reduce: the sum of a buffer over P ranks, on every rank",
    cases=(
        grid(n=[256, 65_536, 1_048_576], ranks=[4], transport=["shared"])
        + grid(n=[65_536], ranks=[4], transport=["gloo"])
        + grid("full", n=[256, 4_096, 65_536, 1_048_576, 16_777_216], ranks=[4], transport=["shared", "gloo"])
        + grid("full", n=[16_384, 1_048_576], ranks=[4], transport=["throttled", "hosts", "distant_hosts"])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={"start": (), "warm_up": (), "reduce": (Output("sums", Tolerance({"float32": 1.0})),)},
    cost_models={
        "alpha_beta_gamma": critical_path,
        "line": lambda implementation, n, **others: (1.0, 4.0 * n),
    },
    rounds=5,
    contestant_s=1.0,
    repeats=lambda n, **others: {"warm_up": repeats(n), "reduce": repeats(n)},
    baseline="ring",
    naive="parameter_server",
    several_cpus=True,
    axis="n",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    edge_cases=(
        grid(n=[0], ranks=[4], transport=["shared"])
        + grid(n=[1003], ranks=[1], transport=["shared"])
        + grid(n=[2], ranks=[3], transport=["shared"])
        + grid(n=[1003], ranks=[7], transport=["shared"], data=["mixed"])
        + grid(n=[5], ranks=[6], transport=["shared"], data=["cancelling"])
        + grid(n=[40_000], ranks=[5], transport=["shared"], data=["not_finite", "gradients"])
        + grid(n=[1003], ranks=[5], transport=["gloo"], data=["not_finite"])
        + grid(n=[1003], ranks=[3], transport=["throttled"], data=["constant"])
        + grid(n=[1003], ranks=[3], transport=["hosts", "distant_hosts"])
    ),
    dtypes={"cpu": ("float32",), "cuda": ("float32",)},
    claims=CLAIMS,
    probes=PROBES,
)
