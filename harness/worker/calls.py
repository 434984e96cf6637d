"""One call of an implementation, phase by phase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.contract import Implementation, Inline, Inputs
from harness.instruments.other_python import OtherPython

Lap = Callable[[str], None]


class ContractError(Exception):
    """The implementation does not do what the contract asks; the message says what."""


def call(implementation: Implementation, inputs: Inputs, phases: tuple[str, ...], lap: Lap) -> dict[str, Any]:
    """Run ``phases``, the first ones of the implementation, and return what each delivered.

    ``lap(phase)`` is called at the end of each phase. What a generator does after its last ``yield`` (stopping
    processes, closing files) runs after the last lap.

    :raises ContractError: a generator ends before its phases do, or an inline implementation prepares no expression.
    """
    if not implementation.is_generator:
        (phase,) = phases
        value = implementation.function(**inputs)
        if implementation.inline:
            prepared = expression_of(value)
            value = evaluate(prepared)
            lap(phase)
            return {phase: prepared.outputs(value)}
        lap(phase)
        return {phase: value}
    delivered: dict[str, Any] = {}
    generator = implementation.function(**inputs)
    try:
        for phase in phases:
            try:
                delivered[phase] = next(generator)
            except StopIteration as stop:
                raise ContractError(f"ended before it yielded at the end of phase {phase!r}") from stop
            lap(phase)
    finally:
        generator.close()
    return delivered


def expression_of(prepared: object) -> Inline:
    """What an implementation prepared that says ``inline``.

    :raises ContractError: it is something else.
    """
    if not isinstance(prepared, Inline):
        raise ContractError(f"inline=True asks for an Inline, not {type(prepared).__name__}")
    return prepared


def evaluate(inline: Inline) -> Any:
    """What an expression comes to, by the interpreter that it is for."""
    if not inline.python:
        return inline.value()
    with OtherPython(inline.python) as other:
        return other.value(inline)


def no_lap(phase: str) -> None:
    """For calls that nothing is measured on."""


def phases_until(implementation: Implementation, until: str) -> tuple[str, ...]:
    """The implementation's phases up to and including ``until``; all of them when it is empty."""
    names = implementation.phase_names
    if not until:
        return names
    return names[: names.index(until) + 1]
