"""Expressions of nanoseconds: what runs in the loop, and what is taken out. No test asserts how long anything took."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from harness.contract import Implementation, Inline, implements
from harness.instruments.inline_timing import LEAST_NS, InlineTimer, Loop, as_call, compile_loop
from harness.instruments.timing import PARTS, Warm, calibrate, make_timer
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
    timer = InlineTimer(calling(print))
    timer._loops = scripted([40, 40, 40, 80, 80]), scripted([10, 10, 10, 20, 20])
    assert timer.sample(lambda: X, ("call",), 5, 1) == {"call": 30.0}
    assert timer.beside_ns == 20.0


def test_what_takes_no_longer_than_nothing_is_nothing() -> None:
    timer = InlineTimer(calling(print))
    timer._loops = scripted([9, 9, 9]), scripted([10, 10, 10])
    assert timer.sample(lambda: X, ("call",), 3, 1) == {"call": LEAST_NS}


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
    loop = compile_loop("seen.append(print)", {"seen": (seen := []), "print": 3})
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
    assert Inline("f(a, *b)", {"f": lambda *each: sum(each), "a": 1, "b": (2, 3)}).value() == 6


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
