"""Three kinds of work, bound by the interpreter, by arithmetic and by memory: twenty equal pieces of each.

One pass over them takes half a millisecond to a millisecond and a half.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Inputs, Output, Suite, Tolerance, grid

PIECES = 20
SHAPES = {"python": (700,), "arithmetic": (110, 110), "memory": (100_000,)}
MOST_REPEATS = 70
PASSES = {"python": 2, "arithmetic": 2, "memory": 5}
"""With so many the three take about 1, 2 and 5 ms."""


def make_inputs(rng: np.random.Generator, kind: str, repeat: int, passes: int) -> Inputs:
    """One piece more than are asked for; ``repeat`` tells apart cases that are otherwise the same."""
    return {"x": rng.random((PIECES + 1, *SHAPES[kind])), "kind": kind, "passes": passes}


def reference(x: np.ndarray, kind: str, passes: int) -> Mapping[str, Any]:
    """Of each piece: its decaying sum, the trace of its square, or its sum after one was added to each element."""
    x = x[:PIECES]
    if kind == "python":
        return {"y": x @ 0.5 ** np.arange(x.shape[1])[::-1].astype(float)}
    return {"y": np.einsum("pij,pji->p", x, x) if kind == "arithmetic" else x.sum(axis=1) + x.shape[1]}


SUITE = Suite(
    name="same",
    title="The same work under two names, and a twentieth more of it under a third",
    cases=grid(kind=list(SHAPES), repeat=[0], passes=[1])
    + grid("full", kind=list(SHAPES), repeat=list(range(1, MOST_REPEATS)), passes=[1])
    + tuple(case for kind, passes in PASSES.items() for case in grid("full", kind=[kind], repeat=[0], passes=[passes])),
    make_inputs=make_inputs,
    reference=reference,
    phases={"call": (Output("y", Tolerance({"float64": 1e-9})),)},
    baseline="first",
    axis="repeat",
    dtypes={"cpu": ("float64",)},
)
