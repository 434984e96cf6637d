"""Expressions of nanoseconds: what runs in the loop, and what is taken out. No test asserts how long anything took."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from harness.contract import Implementation, Inline, implements
from harness.instruments import inline_loops
from harness.instruments.inline_loops import LEAST_NS, Loop, Loops, Reading, compile_loop, read, value_of
from harness.instruments.inline_timing import InlineTimer, as_call
from harness.instruments.other_python import OtherPython, OtherPythonError
from harness.instruments.timing import PARTS, Warm, calibrate, make_timer
from harness.worker.calls import evaluate
from tests.instruments.test_timing import suite

X = {"x": np.zeros(3)}


def calling(*collector: Any) -> Implementation:
    """An implementation whose expression is a call of ``collector[0]``."""

    def prepare(x: np.ndarray) -> Inline:
        return Inline("tick(x)", {"tick": collector[0], "x": x})

    return implements(suite("call"), inline=True)(prepare)


def scripted(durations_ns: list[int]) -> Loop:
    left: Iterator[int] = iter(durations_ns)
    return lambda count: next(left) * count


def test_the_expression_runs_as_often_as_said_with_the_collector_off() -> None:
    seen: list[bool] = []
    timer = make_timer(calling(lambda x: seen.append(gc.isenabled())), "cpu")
    assert isinstance(timer, InlineTimer)
    values = timer.sample(lambda: X, ("call",), 10, 2)
    assert seen == [False] * 10
    assert set(values) == {"call"}
    assert gc.isenabled()


def test_neighbouring_parts_are_subtracted_before_the_median() -> None:
    """The CPU's speed halves in the middle of the sample; the difference of 30 ns becomes 60 in two parts of five."""
    loops = Loops(scripted([40, 40, 40, 80, 80]), scripted([10, 10, 10, 20, 20]))
    assert read(loops, 5, 1) == Reading(difference_ns=30.0, loop_ns=10.0)


def test_what_takes_no_longer_than_nothing_is_nothing() -> None:
    assert read(Loops(scripted([9, 9, 9]), scripted([10, 10, 10])), 3, 1).expression_ns == LEAST_NS


def test_the_floor_counts_either_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than nothing is as far from it as more; two samples of twenty may have been disturbed."""
    differences = iter([700.0, -5.0, -900.0, *[1.0] * 17])
    monkeypatch.setattr(inline_loops, "read", lambda loops, iterations, part: Reading(next(differences), 10.0))
    assert inline_loops.floor_ns() == 5.0


def test_the_empty_loop_is_known_after_a_sample() -> None:
    timer = InlineTimer(calling(len))
    timer.sample(lambda: X, ("call",), 1000, 100)
    assert timer.loop_ns > 0
    assert timer.beside_ns == 2 * timer.loop_ns


def test_nothing_at_all_comes_to_something_small_and_finite() -> None:
    floor = InlineTimer(calling(print)).overhead_ns(lambda: X, ("call",))
    assert LEAST_NS <= floor < float("inf")


def test_both_loops_count_when_the_sample_is_planned() -> None:
    """An expression of 5 ns in loops of 10: a sample of 2 ms has room for a fifth of the calls of 5 ns alone."""
    warm = (Warm({"call": 5.0}, 1000),)
    alone, beside = (calibrate(warm, 2e6, beside_ns=value) for value in (0.0, 20.0))
    assert beside.iterations % PARTS == 0
    assert beside.iterations == pytest.approx(alone.iterations / 5, rel=0.01)


def test_names_are_local_to_the_loop() -> None:
    """One that the module has as well is not looked up there."""
    loop = compile_loop("seen.append(print)", {"seen": (seen := []), "print": 3}, {})
    assert loop(2) > 0
    assert seen == [3, 3]


@pytest.mark.parametrize(
    ("expression", "names", "message"),
    [
        ("f(", {}, "is no Python expression"),
        ("x = 1", {}, "is no Python expression"),
        ("f(); g()", {}, "is no Python expression"),
        ("f()", {"_count": 1}, "'_count' cannot be a name"),
        ("f()", {"for": 1}, "'for' cannot be a name"),
        ("f()", {"a b": 1}, "'a b' cannot be a name"),
    ],
)
def test_what_cannot_be_a_loops_body_is_refused(expression: str, names: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Inline(expression, names)


def test_the_value_is_the_expressions() -> None:
    assert evaluate(Inline("f(a, *b)", {"f": lambda *each: sum(each), "a": 1, "b": (2, 3)})) == 6


SET_UP = Inline(
    "[f(b) for b in several]", {"a": 2, "several": [1, 5]}, setup="def f(b, c=a):\n    return b + c * late\nlate = 10"
)
"""The set-up knows the names, and what it defines is global: also to functions, and to names defined later."""


def test_a_set_up_runs_once_and_its_names_are_global() -> None:
    assert value_of(SET_UP.expression, SET_UP.names, SET_UP.setup) == [21, 25]
    counted = Inline("next(numbers)", {}, setup="from itertools import count\nnumbers = count()\nseen.append(0)")
    timer = InlineTimer(implements(suite("call"), inline=True)(lambda x: counted))
    with pytest.raises(NameError, match="seen"):
        timer.sample(lambda: X, ("call",), 1)
    counted = Inline("next(numbers)", {"seen": (seen := [])}, counted.setup)
    timer = InlineTimer(implements(suite("call"), inline=True)(lambda x: counted))
    timer.sample(lambda: X, ("call",), 10, 5)
    timer.sample(lambda: X, ("call",), 10, 5)
    assert seen == [0]


class TestAnotherInterpreter:
    """This one's program, started anew: it knows nothing of this process either."""

    def test_it_comes_to_the_same_value(self) -> None:
        assert evaluate(Inline(SET_UP.expression, SET_UP.names, SET_UP.setup, sys.executable)) == [21, 25]

    def test_its_loops_run_there(self) -> None:
        """What the expression does to this process would show here."""
        elsewhere = Inline("seen.append(0)", {"seen": (seen := [])}, python=sys.executable)
        timer = InlineTimer(implements(suite("call"), inline=True)(lambda x: elsewhere))
        assert timer.sample(lambda: X, ("call",), 10, 5)["call"] > 0
        assert LEAST_NS <= timer.overhead_ns(lambda: X, ("call",)) < float("inf")
        timer.close()
        assert seen == []

    def test_what_is_printed_there_is_no_answer(self) -> None:
        assert evaluate(Inline("print(3) or 4", {}, "print(1)", sys.executable)) == 4

    def test_its_errors_are_told(self) -> None:
        with pytest.raises(OtherPythonError, match="ZeroDivisionError: division by zero"):
            evaluate(Inline("1 / 0", {}, python=sys.executable))
        with pytest.raises(OtherPythonError, match="ended by itself, with exit code 3"):
            evaluate(Inline("1", {}, "import os\nos._exit(3)", sys.executable))

    def test_its_process_is_gone_when_it_is_closed(self) -> None:
        with OtherPython(sys.executable) as other:
            process = other._process
        assert process.returncode == 0


def test_a_set_up_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="'def f' is no set-up"):
        Inline("f()", {}, "def f")


def test_what_mutates_cannot_be_inline() -> None:
    with pytest.raises(TypeError, match="inline takes one phase"):
        implements(suite("call"), inline=True, mutates=("x",))(lambda x: x)


class Entered:
    """A context that notes what happens to it."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def __enter__(self) -> None:
        self.seen.append("in")

    def __exit__(self, *_: object) -> None:
        self.seen.append("out")


def test_the_context_is_entered_once_around_a_sample() -> None:
    seen: list[str] = []
    prepared = Inline("tick(0)", {"tick": lambda _: seen.append("call")}, within=lambda: Entered(seen))
    timer = InlineTimer(implements(suite("call"), inline=True)(lambda x: prepared))
    timer.sample(lambda: X, ("call",), 4, 2)
    assert seen == ["in", "call", "call", "call", "call", "out"]


def test_the_answer_is_made_of_the_value_outside_the_context() -> None:
    seen: list[str] = []
    prepared = Inline("a + 1", {"a": 2}, answer=lambda value: (seen.append("answer"), 10 * value)[1],
                      within=lambda: Entered(seen))  # fmt: skip
    assert prepared.outputs(prepared.value()) == 30
    assert seen == ["in", "out", "answer"]


def test_a_timer_of_calls_is_given_one_that_prepares_once() -> None:
    seen: list[str] = []

    def prepare(x: np.ndarray) -> Inline:
        seen.append("prepare")
        return Inline("a + len(b)", {"a": 2, "b": x}, within=lambda: Entered(seen))

    called = as_call(implements(suite("call"), devices=("cuda",), inline=True)(prepare))
    assert not called.inline
    assert [called(**X), called(**X)] == [5, 5]
    assert seen == ["prepare", "in", "out", "in", "out"]


def test_something_else_than_an_expression_is_an_error() -> None:
    timer = InlineTimer(implements(suite("call"), inline=True)(lambda x: x))
    with pytest.raises(TypeError, match="asks for an Inline, not ndarray"):
        timer.sample(lambda: X, ("call",), 1)
