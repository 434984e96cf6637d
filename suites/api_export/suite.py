"""Registering and wrapping functions: a call through a name, a wrapper or fixed arguments is the plain call."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.contract import Output, Suite, Tolerance, grid
from suites.api_export.claims import CLAIMS, PYTHONS
from suites.api_export.probes import PROBES
from suites.api_export.settings import THIS, Settings

WIDTH = 4
LOOK_UPS = 100_000
CALLED = 100
"""How many of an imported module's functions are called."""

_CALL: dict[str, list[Any]] = {"task": ["call"], "depth": [1], "python": [THIS]}


def make_inputs(rng: np.random.Generator, task: Any, **case: Any) -> dict[str, Any]:
    """Fresh values to call with, or to find.

    :returns: ``values``: (arguments, 4), one row for each, float64; of the other tasks (symbols,), what each name
        stands for. ``wanted``: (look-ups,) int64, the positions of the names that are asked for; empty for a call.
    """
    settings = Settings(task, **case)
    if task == "call":
        values = rng.normal(size=(max(settings.arity, 1), WIDTH))
        return {"values": values, "wanted": np.empty(0, dtype=np.int64), "settings": settings}
    count = LOOK_UPS if task == "look_up" else CALLED
    wanted = rng.integers(settings.symbols, size=count)
    return {"values": rng.normal(size=settings.symbols), "wanted": wanted, "settings": settings}


def reference(values: np.ndarray, wanted: np.ndarray, settings: Settings) -> dict[str, np.ndarray]:
    """What the undecorated function returns for its arguments in order, or what the wanted names stand for."""
    if settings.task != "call":
        return {"answer": values[wanted]}
    return {"answer": values if settings.returns == "all" else values[0]}


def check_case(case: Any) -> Any:
    """A small module in place of a large one, which would be written and compiled for every check."""
    return {**case, "symbols": min(case["symbols"], 100)} if case["task"] == "import" else case


SUITE = Suite(
    name="api_export",
    title="Calling a function through a name, a wrapper or fixed arguments",
    cases=(
        grid(how=["none"], arity=[2], **_CALL)
        + grid(how=["keyword"], arity=[2, 4, 6], **_CALL)
        + grid("full", how=["none"], arity=[0, 4, 6], **_CALL)
        + grid("full", how=["positional"], arity=[2, 4, 6], **_CALL)
        + grid("full", task=["call"], how=["positional"], arity=[2], depth=[2, 4, 8], python=[THIS])
        + grid("full", task=["call"], how=["keyword"], arity=[6], depth=[5], python=[THIS])
        + grid("full", task=["call"], how=["positional", "keyword"], arity=[2], depth=[1], python=list(PYTHONS[1:]))
        + grid("full", task=["look_up"], symbols=[100, 10_000, 1_000_000], python=[THIS])
        + grid("full", task=["import"], symbols=[1_000, 3_000, 10_000], python=[THIS])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={"call": (Output("answer", Tolerance({"float64": 0.0})),)},
    baseline="direct",
    naive="direct",
    axis="arity",
    check_case=check_case,
    edge_cases=(
        grid(task=["call"], how=["none"], arity=[0, 6], returns=["all"])
        + grid(task=["call"], how=["none"], arity=[3], depth=[3], returns=["all"])
        + grid(task=["call"], how=["positional", "keyword"], arity=[1, 3], returns=["all"])
        + grid(task=["call"], how=["positional", "keyword"], arity=[4], depth=[2, 5], returns=["all"])
        + grid(task=["call"], how=["keyword"], arity=[3], returns=["all"], python=["3.12"])
        + grid(task=["look_up"], symbols=[1, 10])
        + grid(task=["import"], symbols=[3])
    ),
    dtypes={"cpu": ("float64",)},
    claims=CLAIMS,
    probes=PROBES,
)
