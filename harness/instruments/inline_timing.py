"""Expressions of nanoseconds: a loop that holds nothing else, with the empty loop's cost taken out."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import repeat
from typing import Any

from harness.contract import Implementation, Inline, Inputs
from harness.instruments.timing import PARTS, FreshInputs, PhaseTimes

Loop = Callable[[int], int]
"""Runs so many times; the nanoseconds it took."""

_FLOOR_ITERATIONS = 10_000
_FLOOR_SAMPLES = 20
_NOTHING = "pass"
LEAST_NS = 0.001
"""What stands for nothing: costs are positive, so that they have logarithms."""


class InlineTimer:
    """The monotonic clock around two loops in turn: with the expression, and without.

    Both are compiled alike, so that their difference is the expression. The loop with the expression is its only call
    site: the interpreter specialises it for this contestant, during the warm-up. Neighbouring parts are subtracted
    before a median is taken over them, so that a change of the CPU's speed hits both.
    """

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self._loops: tuple[Loop, Loop] | None = None
        self._within: Callable[[], AbstractContextManager[Any]] = nullcontext
        self.beside_ns = 0.0
        """What a sample takes for each call beyond the call's own figure: both loops."""

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int = 0) -> PhaseTimes:
        """Nanoseconds of the expression; :data:`LEAST_NS` where the loop without it took longer."""
        with_expression, empty = self._loops or self._make(fresh_inputs)
        part = part or iterations
        differences, empties = [], []
        gc.collect()
        gc.disable()
        try:
            with self._within():
                for number in range(iterations // part):
                    if number % 2:  # neither is always the first
                        without_ns, with_ns = empty(part), with_expression(part)
                    else:
                        with_ns, without_ns = with_expression(part), empty(part)
                    differences.append((with_ns - without_ns) / part)
                    empties.append(without_ns / part)
        finally:
            gc.enable()
        self.beside_ns = 2 * statistics.median(empties)
        return {phases[0]: max(LEAST_NS, statistics.median(differences))}

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> float:
        """The most that a loop without an expression came to when the same loop was taken out of it."""
        nothing = InlineTimer(self._implementation)
        nothing._loops = compile_loop(_NOTHING, {}), compile_loop(_NOTHING, {})
        iterations = PARTS * _FLOOR_ITERATIONS
        samples = (nothing.sample(fresh_inputs, phases, iterations, _FLOOR_ITERATIONS) for _ in range(_FLOOR_SAMPLES))
        return max(sum(sample.values()) for sample in samples)

    def _make(self, fresh_inputs: FreshInputs) -> tuple[Loop, Loop]:
        prepared = _prepared(self._implementation, fresh_inputs())
        names, self._within = prepared.names, prepared.within
        self._loops = compile_loop(prepared.expression, names), compile_loop(_NOTHING, names)
        return self._loops


def as_call(implementation: Implementation) -> Implementation:
    """The same for a timer of calls: what is called evaluates the expression, which the first call prepares.

    For devices that work on while the host goes on: what a call costs the host is no part of their time.
    """
    first: list[tuple[Inline, Callable[..., Any]]] = []

    def evaluate(**inputs: Any) -> Any:
        if not first:
            prepared = _prepared(implementation, inputs)
            first.append((prepared, eval(f"lambda {', '.join(prepared.names)}: {prepared.expression}")))
        prepared, expression = first[0]
        with prepared.within():
            return expression(**prepared.names)

    return replace(implementation, function=evaluate, inline=False)


def _prepared(implementation: Implementation, inputs: Inputs) -> Inline:
    prepared = implementation.function(**inputs)
    if not isinstance(prepared, Inline):
        raise TypeError(f"inline=True asks for an Inline, not {type(prepared).__name__}")
    return prepared


def compile_loop(statement: str, names: Mapping[str, Any]) -> Loop:
    """A loop over ``statement`` with ``names`` as local variables, between two readings of the clock."""
    source = (
        f"def loop(_count, _clock, _repeat{''.join(f', {name}' for name in names)}):\n"
        f"    _begin = _clock()\n"
        f"    for _ in _repeat(None, _count):\n"
        f"        {statement}\n"
        f"    return _clock() - _begin\n"
    )
    scope: dict[str, Any] = {}
    exec(compile(source, "<inline>", "exec"), scope)
    loop, values = scope["loop"], tuple(names.values())
    return lambda count: int(loop(count, time.perf_counter_ns, repeat, *values))
