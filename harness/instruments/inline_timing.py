"""Expressions of nanoseconds: a loop that holds nothing else, with the empty loop's cost taken out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Protocol

from harness.contract import Implementation, Inline, Inputs
from harness.instruments.inline_loops import Loops, Reading, floor_ns, make_loops, prepare, read
from harness.instruments.other_python import OtherPython
from harness.instruments.timing import FreshInputs, PhaseTimes


class _Reader(Protocol):
    """Whatever holds both loops."""

    def read(self, iterations: int, part: int) -> Reading: ...

    def floor_ns(self) -> float: ...


class InlineTimer:
    """The monotonic clock around two loops in turn: with the expression, and without.

    Both are compiled alike, so that their difference is the expression. The loop with the expression is its only call
    site: the interpreter specialises it for this contestant, during the warm-up.
    """

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self._reader: _Reader | None = None
        self._open = ExitStack()
        self.loop_ns = 0.0
        """What the empty loop came to in the last sample, for each iteration."""

    @property
    def beside_ns(self) -> float:
        """What a sample takes for each call beyond the call's own figure: both loops."""
        return 2 * self.loop_ns

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int = 0) -> PhaseTimes:
        """Nanoseconds of the expression; next to nothing where the loop without it took longer."""
        reading = self._ready(fresh_inputs).read(iterations, part or iterations)
        self.loop_ns = reading.loop_ns
        return {phases[0]: reading.expression_ns}

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> float:
        """How far from nothing a loop without an expression came when the same loop was taken out of it."""
        return self._ready(fresh_inputs).floor_ns()

    def close(self) -> None:
        """End the other interpreter, where there is one."""
        self._open.close()

    def _ready(self, fresh_inputs: FreshInputs) -> _Reader:
        if self._reader is None:
            prepared = _prepared(self._implementation, fresh_inputs())
            self._reader = self._elsewhere(prepared) if prepared.python else _Here(prepared)
        return self._reader

    def _elsewhere(self, inline: Inline) -> _Reader:
        other = self._open.enter_context(OtherPython(inline.python))
        other.prepare(inline)
        return other


class _Here:
    """The loops in this interpreter."""

    def __init__(self, inline: Inline) -> None:
        self._within = inline.within
        self.loops: Loops = make_loops(inline.expression, inline.names, inline.setup)

    def read(self, iterations: int, part: int) -> Reading:
        with self._within():
            return read(self.loops, iterations, part)

    def floor_ns(self) -> float:
        return floor_ns()


def as_call(implementation: Implementation) -> Implementation:
    """The same for a timer of calls: what is called evaluates the expression, which the first call prepares.

    For devices that work on while the host goes on: what a call costs the host is no part of their time.
    """
    first: list[tuple[Inline, Callable[..., Any]]] = []

    def evaluate(**inputs: Any) -> Any:
        if not first:
            prepared = _prepared(implementation, inputs)
            scope = prepare(prepared.setup, prepared.names)
            first.append((prepared, eval(f"lambda {', '.join(prepared.names)}: {prepared.expression}", scope)))
        prepared, expression = first[0]
        with prepared.within():
            return expression(**prepared.names)

    return replace(implementation, function=evaluate, inline=False)


def _prepared(implementation: Implementation, inputs: Inputs) -> Inline:
    prepared = implementation.function(**inputs)
    if not isinstance(prepared, Inline):
        raise TypeError(f"inline=True asks for an Inline, not {type(prepared).__name__}")
    return prepared
