"""Base and head of known truth: the same work, and the same with a known share more of it, in all the tools' forms."""

from __future__ import annotations

import textwrap
from pathlib import Path

KINDS = ("python", "arithmetic", "memory")
PIECES = 100
MOST = 20
"""Pieces that head may do beyond those of base, in per cent of them."""

SUITE = '''
"""A hundred equal pieces of work that is bound by the interpreter, by arithmetic or by memory."""
import numpy as np

from harness.contract import Output, Suite, Tolerance, grid

PIECES, MOST = {pieces}, {most}
SHAPES = {{"python": (140,), "arithmetic": (64, 64), "memory": (30_000,)}}


def make_inputs(rng, kind):
    """As many pieces as the longest of them all does, each of its own: one computed before is in the cache."""
    return {{"x": rng.random((PIECES + MOST, *SHAPES[kind])), "kind": kind}}


def reference(x, kind):
    x = x[:PIECES]
    if kind == "python":
        return {{"y": x @ 0.5 ** np.arange(x.shape[1])[::-1].astype(float)}}
    return {{"y": np.einsum("pij,pji->p", x, x) if kind == "arithmetic" else x.sum(axis=1) + x.shape[1]}}


SUITE = Suite(
    name="pieces",
    title="Pieces of work",
    cases=grid(kind=["python", "arithmetic", "memory"]),
    make_inputs=make_inputs,
    reference=reference,
    phases={{"call": (Output("y", Tolerance({{"float64": 1e-9}})),)}},
    baseline="work",
    axis="kind",
    dtypes={{"cpu": ("float64",)}},
)
'''

WORK = '''
"""The pieces, and some more that are thrown away."""
import numpy as np

from harness.contract import implements
from suites.pieces.suite import PIECES, SUITE

MORE = {more}


def decaying_sum(x):
    total = 0.0
    for value in x.tolist():
        total = total * 0.5 + value
    return total


def trace_of_square(x):
    return float(np.trace(x @ x))


def sum_after_addition(x):
    return float((x + 1.0).sum())


PIECE = {{"python": decaying_sum, "arithmetic": trace_of_square, "memory": sum_after_addition}}


@implements(SUITE, dtypes=("float64",))
def work(x, kind):
    piece = PIECE[kind]
    return np.array([piece(row) for row in x[: PIECES + MORE]])[:PIECES]
'''

FUNCTION = """
import sys
sys.path[:0] = [{project!r}, {harness!r}]
import numpy as np
from impls.pieces.work import work
from suites.pieces.suite import make_inputs
INPUTS = make_inputs(np.random.default_rng(0), "{kind}")
def function():
    return work.function(**INPUTS)
"""
"""The start of a script that benchmarks the work by another tool."""


def write_side(folder: Path, more_percent: int) -> None:
    """A project whose one implementation does ``more_percent`` per cent more than the suite asks for."""
    if not 0 <= more_percent <= MOST:
        raise ValueError(f"between 0 and {MOST} per cent more, not {more_percent}")
    for part in ("suites", "impls"):
        (folder / part / "pieces").mkdir(parents=True)
        for package in (part, f"{part}/pieces"):
            (folder / package / "__init__.py").touch()  # else a package of the same name further down the path wins
    (folder / "pyproject.toml").write_text("[tool.bakeoff]\npreload = ['numpy']\n", encoding="utf-8")
    suite = textwrap.dedent(SUITE).format(pieces=PIECES, most=MOST)
    (folder / "suites" / "pieces" / "suite.py").write_text(suite, encoding="utf-8")
    (folder / "impls" / "pieces" / "work.py").write_text(WORK.format(more=more_percent), encoding="utf-8")
