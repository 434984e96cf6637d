"""Expressions of nanoseconds through the whole program: checked, measured, shown or said to be too short."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.contract import Inline, Output, Suite, Tolerance, grid, implements
from harness.loading import load_run
from harness.worker.calls import call

Bakeoff = Callable[..., "subprocess.CompletedProcess[str]"]

SUITE = '''
"""One more than a number."""
from harness.contract import Band, Cell, Claim, CostDifference, Output, Suite, Tolerance, Where, grid

CLAIMS = (
    Claim("plus.1", "cost", "Two calls cost more than one", "arithmetic", (
        Cell("n = 1", CostDifference("twice", "once", Where({"n": 1}, "float64")), Band(low=0.0)),
    ), unit="ns", profile="quick"),
)
SUITE = Suite(
    name="plus", title="One more", cases=grid(n=[1, 2, 3]), make_inputs=lambda rng, n: {"n": n},
    reference=lambda n: {"more": n + 1.0}, phases={"call": (Output("more", Tolerance({"float64": 0.0})),)},
    baseline="once", naive="once", axis="n", dtypes={"cpu": ("float64",)}, claims=CLAIMS,
)
'''
IMPLEMENTATION = '''
"""{title}."""
from harness.contract import Inline, implements
from suites.plus.suite import SUITE


@implements(SUITE, dtypes=("float64",), inline=True)
def plus(n):
    return {prepared}
'''
CALL = "lambda n: float(n + 1)"


@pytest.fixture
def plus(project: Path) -> Path:
    """The project with expressions of one call, of two, of none, of a wrong one, and something that is none."""
    prepared = {
        "once": f'Inline("f(n)", {{"f": {CALL}, "n": n}})',
        "twice": f'Inline("(f(n), f(n))[1]", {{"f": {CALL}, "n": n}})',
        "constant": 'Inline("2.0", {})',  # which the compiler leaves out of the loop
        "wrong": 'Inline("n", {"n": float(n)})',
        "no_expression": "n + 1.0",
    }
    for folder in ("suites", "impls"):
        (project / folder / "plus").mkdir()
    (project / "suites" / "plus" / "suite.py").write_text(SUITE)
    for name, text in prepared.items():
        (project / "impls" / "plus" / f"{name}.py").write_text(IMPLEMENTATION.format(title=name, prepared=text))
    return project


def test_expressions_are_checked_measured_and_judged(plus: Path, bakeoff: Bakeoff) -> None:
    done = bakeoff("run", "plus", "--where", "n=1", "--no-report", "--json", "--instrument", "time")
    assert done.returncode == 1, done.stderr
    run = load_run(Path(json.loads(done.stdout)["results"]))
    reasons = {record.trial.implementation: (record.status, record.reason) for record in run.records}
    assert {name: status for name, (status, _) in reasons.items()} == {
        "once": "ok", "twice": "ok", "constant": "ok", "wrong": "wrong", "no_expression": "wrong",
    }  # fmt: skip
    assert "more is off by" in reasons["wrong"][1]
    assert reasons["no_expression"][1].endswith("inline=True asks for an Inline, not float")

    rows = {row["implementation"]: row for row in json.loads(bakeoff("table", "--format", "json").stdout)}
    assert rows["constant"]["estimate"] is None
    assert "times what nothing at all comes to in the timing loop" in rows["constant"]["reason"]
    assert rows["once"]["estimate"] > rows["once"]["floor"] > 0
    assert 0 < rows["once"]["loop_low"] <= rows["once"]["loop"] <= rows["once"]["loop_high"]
    assert rows["constant"]["floor"] > 0
    (claim,) = json.loads(bakeoff("claims", "--json").stdout)
    assert (claim["verdict"], claim["unit"]) == ("reproduced", "ns")
    assert claim["estimate"] == pytest.approx(rows["twice"]["estimate"] - rows["once"]["estimate"], rel=0.5)


def test_what_is_made_of_the_value_is_outside_the_phase() -> None:
    """A gradient that is taken for the check alone is no part of the call's peak memory."""
    seen: list[str] = []
    prepared = Inline("a", {"a": 2}, answer=lambda value: (seen.append("answer"), value)[1])
    suite = Suite(
        name="same", title="Same", cases=grid(n=[1]), make_inputs=lambda rng, n: {"n": n}, reference=lambda n: {"y": n},
        phases={"call": (Output("y", Tolerance()),)}, baseline="b", axis="n",
    )  # fmt: skip
    implementation = implements(suite, inline=True)(lambda n: prepared)
    assert call(implementation, {"n": 1}, ("call",), seen.append) == {"call": 2}
    assert seen == ["call", "answer"]
