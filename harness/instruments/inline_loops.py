"""The loops that time an expression, with the empty loop's cost taken out; also a program for other interpreters.

It uses the standard library alone and no syntax newer than Python 3.9, since :mod:`harness.instruments.other_python`
has another interpreter run this file.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import Any, NamedTuple

Loop = Callable[[int], int]
"""Runs so many times; the nanoseconds it took."""

NOTHING = "pass"
LEAST_NS = 0.001
"""What stands for nothing: costs are positive, so that they have logarithms."""
PARTS = 5
"""Of a sample of the floor."""

_FLOOR_ITERATIONS = 10_000
_FLOOR_SAMPLES = 20


class Loops(NamedTuple):
    """The same loop with the expression and without."""

    full: Loop
    empty: Loop


class Reading(NamedTuple):
    """Medians over the parts of a sample, in nanoseconds per iteration.

    The expression's own may come out below nothing where it is next to nothing.
    """

    difference_ns: float
    loop_ns: float

    @property
    def expression_ns(self) -> float:
        """The difference; :data:`LEAST_NS` where the loop without the expression took longer."""
        return max(LEAST_NS, self.difference_ns)


def prepare(setup: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Run ``setup``, in which ``names`` are known; what is global to the expression afterwards."""
    scope: dict[str, Any] = {"__name__": "inline", **names}
    exec(compile(setup, "<setup>", "exec"), scope)
    return scope


def make_loops(expression: str, names: Mapping[str, Any], setup: str = "") -> Loops:
    """Both loops, with ``names`` as local variables and what ``setup`` defines as global ones."""
    scope = prepare(setup, names)
    return Loops(compile_loop(expression, names, scope), compile_loop(NOTHING, names, scope))


def value_of(expression: str, names: Mapping[str, Any], setup: str = "") -> Any:
    """What the expression comes to."""
    return eval(expression, {**prepare(setup, names), **names})


def compile_loop(statement: str, names: Mapping[str, Any], scope: Mapping[str, Any]) -> Loop:
    """A loop over ``statement`` with ``names`` as local variables, between two readings of the clock."""
    source = (
        f"def loop(_count, _clock, _repeat{''.join(f', {name}' for name in names)}):\n"
        f"    _begin = _clock()\n"
        f"    for _ in _repeat(None, _count):\n"
        f"        {statement}\n"
        f"    return _clock() - _begin\n"
    )
    here = dict(scope)
    exec(compile(source, "<inline>", "exec"), here)
    loop, values = here["loop"], tuple(names.values())
    return lambda count: int(loop(count, time.perf_counter_ns, repeat, *values))


def read(loops: Loops, iterations: int, part: int) -> Reading:
    """Time parts of both loops in turn with the garbage collector off.

    Neighbouring parts are subtracted before a median is taken over them, so that a change of the CPU's speed hits both.

    :param part: iterations between two readings of the clock, which divides ``iterations``.
    """
    differences: list[float] = []
    empties: list[float] = []
    gc.collect()
    gc.disable()
    try:
        for number in range(iterations // part):
            if number % 2:  # neither is always the first
                without_ns, with_ns = loops.empty(part), loops.full(part)
            else:
                with_ns, without_ns = loops.full(part), loops.empty(part)
            differences.append((with_ns - without_ns) / part)
            empties.append(without_ns / part)
    finally:
        gc.enable()
    return Reading(statistics.median(differences), statistics.median(empties))


def floor_ns() -> float:
    """How far from nothing a loop without an expression comes when the same loop is taken out of it.

    Nine tenths of some samples come no farther; a figure is a median of samples, which one that was disturbed does not
    move. Each has loops of its own: where their code happens to lie in memory is a part of the noise, and it stays the
    same for as long as they live. Which of them is the faster one is chance, so either sign counts.
    """
    differences = []
    for _ in range(_FLOOR_SAMPLES):
        nothing = Loops(compile_loop(NOTHING, {}, {}), compile_loop(NOTHING, {}, {}))
        reading = read(nothing, PARTS * _FLOOR_ITERATIONS, _FLOOR_ITERATIONS)
        differences.append(abs(reading.difference_ns))
    return max(LEAST_NS, sorted(differences)[_FLOOR_SAMPLES * 9 // 10 - 1])


def main() -> None:
    """Answer orders, one line of JSON each, until there are no more; what the expression prints goes to stderr."""
    answers, sys.stdout = sys.stdout, sys.stderr
    loops = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["do"] == "value":
                answer: Any = value_of(**order["of"])
            elif order["do"] == "prepare":
                loops, answer = make_loops(**order["of"]), None
                getattr(gc, "freeze", gc.collect)()
            elif order["do"] == "read" and loops is not None:
                answer = read(loops, order["iterations"], order["part"])
            else:
                answer = floor_ns()
            reply = json.dumps({"answer": answer})
        except Exception as error:
            reply = json.dumps({"error": f"{type(error).__name__}: {error}"})
        answers.write(reply + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
