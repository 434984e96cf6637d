"""Broadcasting by views and by copies, what becomes of writes into them, and whether the elements of a view overlap.

Phases: ``make`` brings x to the target shape (or makes the tensors that layouts describe), ``use`` reads it, writes
into it, differentiates through it or says what overlaps. An answer may be an error: of a write into overlapping memory
the contract is that it raises or does what it would do to a clone, never anything else without a word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Tolerance, Work, grid
from suites.expand.claims import CLAIMS
from suites.expand.judging import measure_errors, refusals
from suites.expand.layouts import draw_layouts
from suites.expand.probes import PROBES
from suites.expand.reference import reference, resolve

LARGEST_WEIGHT = 3
SIDE = 64
CHECKED_COPIES = 50


def make_inputs(
    rng: np.random.Generator,
    operation: str,
    data: str = "rows",
    factor: int = 1,
    change: str = "",
    step: int = 1,
    layouts: int = 0,
    dims: int = 4,
) -> Inputs:
    """A tensor to expand, with all elements different, and weights from -3 to 3 in the shape that it gets.

    ``rows``: (1, 1024) to (factor, 1024). ``images``: (1, 3, 64, 64) to (factor, 3, 64, 64). ``masks``: zeros and ones
    (1, 1, 64, 64) to (1, factor, 64, 64), as over the heads of attention. ``change``: two shapes, as ``3,1>3,-1``.
    ``layouts``: so many sets of sizes and strides of ``dims`` dimensions, and nothing to expand.
    """
    before, shape = _shapes(data, factor, change)
    if operation == "overlap":
        before, shape = (0,), (0,)
    stored = (*before[:-1], before[-1] * step) if before else ()
    count = math.prod(stored)
    values = rng.integers(2, size=count) if data == "masks" else 1 + rng.permutation(count)
    whole = resolve(before, shape) or (0,)
    return {
        "x": values.reshape(stored).astype(np.float64),
        "other": rng.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT + 1, size=whole).astype(np.float64),
        "shape": shape,
        "step": step,
        "layouts": draw_layouts(rng, layouts, dims),
        "operation": operation,
    }


def _shapes(data: str, factor: int, change: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if change:
        before, after = (tuple(int(size) for size in side.split(",") if size) for side in change.split(">"))
        return before, after
    if data == "rows":
        return (1, 1024), (factor, 1024)
    if data == "images":
        return (1, 3, SIDE, SIDE), (factor, 3, SIDE, SIDE)
    if data == "masks":
        return (1, 1, SIDE, SIDE), (1, factor, SIDE, SIDE)
    raise ValueError(f"unknown data {data!r}; there are rows, images and masks")


def work(itemsize: int, operation: str, **case: Any) -> Mapping[str, Work]:
    """Making costs nothing, since a view does; using reads x once, however often it is repeated, and the weights."""
    if operation == "overlap":
        return {"make": Work(0.0), "use": Work(0.0, bytes_read=16.0 * case["layouts"] * case.get("dims", 4))}
    before, shape = _shapes(case.get("data", "rows"), case.get("factor", 1), case.get("change", ""))
    stored, made = math.prod(before), math.prod(shape)
    rows = made / shape[-1]
    return {
        "make": Work(0.0),
        "use": Work(2.0 * made, bytes_read=itemsize * float(stored + made), bytes_written=itemsize * rows),
    }


def check_case(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fewer copies where the reference would hold many."""
    return {**case, "factor": min(case["factor"], CHECKED_COPIES)} if "factor" in case else case


SUITE = Suite(
    name="expand",
    title="Broadcasting by views and copies, and writes into overlapping memory",
    cases=(
        grid(operation=["weigh"], data=["rows"], factor=[10, 100, 1_000])
        + grid(operation=["overlap"], layouts=[200], dims=[4])
        + grid("full", operation=["weigh"], data=["rows"], factor=[10_000])
        + grid("full", operation=["weigh"], data=["images"], factor=[8, 64])
        + grid("full", operation=["weigh"], data=["masks"], factor=[16, 256])
        + grid("full", operation=["overlap"], layouts=[200], dims=[1, 2, 6])
    ),
    make_inputs=make_inputs,
    reference=reference,
    phases={"make": (), "use": (Output("value", Tolerance({"*": 0.0})),)},
    baseline="expand_clone",
    naive="repeat",
    axis="factor",
    work=work,
    check_case=check_case,
    measure_errors=measure_errors,
    refusals=refusals,
    edge_cases=(
        grid(operation=["read", "weigh", "write", "backward"], change=["3,1>3,4", "3,1>2,3,4"])
        + grid(operation=["read", "write", "backward"], change=["3,1>3,4"], step=[2])
        + grid(operation=["read", "write"], change=["1>4", "1,1>3,4", "3,1>-1,4"], data=["masks"])
        + grid(operation=["read", "backward"], change=["2,3>2,3", ">2,3", "1,3>0,3", "0,1>0,4"])
        + grid(operation=["read"], change=["1,3>2,4", "3,1>-1,3,4", "2,3>3"])
        + grid(operation=["write_unexpanded"], change=["2,3>2,3"])
        + grid(operation=["overlap"], layouts=[40], dims=[1, 6])
    ),
    dtypes={"cpu": ("float32",), "cuda": ("float32",)},
    claims=CLAIMS,
    probes=PROBES,
)
