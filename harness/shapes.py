"""What a JSON value must look like, said declaratively, and the checking of values against it.

A description is a tree of shapes; ``read`` gives back the value, with every text made printable, or says by
:class:`Misfit` which part of it does not fit and what would.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.printable import LONGEST_NAME, LONGEST_TEXT, printable

# How JSON, which has no such numbers, is given them: what ``str`` makes of a float and ``float`` reads back.
_NOT_FINITE = ("inf", "-inf", "nan")
_LARGEST_INTEGER_BITS = 1023  # beyond it an integer is no float any more
_LARGEST_SIZE = 1e30
_DEEPEST = 30


class Misfit(ValueError):
    """A value does not fit its shape; the message says which, what it is and what it must be."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(f"{place.removeprefix('.')} {problem}".strip())
        self._problem = problem
        self._place = place

    def within(self, step: str) -> Misfit:
        """The same misfit as seen from one level further out."""
        return Misfit(self._problem, step + self._place)


class Shape(Protocol):
    """Anything that can say whether a value fits."""

    def read(self, value: Any) -> Any:
        """The value as it is used.

        :raises Misfit: it does not fit.
        """


@dataclass(frozen=True)
class Integer:
    """An integer from ``low`` to ``high``; ``true`` and ``1.0`` are none."""

    low: int | None = None
    high: int | None = None

    def read(self, value: Any) -> int:
        if type(value) is not int:
            raise Misfit(f"is {_kind(value)}, must be an integer")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            ends = f"from {self.low}" if self.high is None else f"from {self.low} to {self.high}"
            raise Misfit(f"is {_kind(value)}, must be an integer {ends}")
        return value


@dataclass(frozen=True)
class Number:
    """A number as a float.

    :param positive: it must be above 0.
    :param negative: it may be below 0.
    :param finite: infinities and NaN do not fit; otherwise they do, also as the texts that stand for them in JSON.
    :param physical: unless 0 it is of a size that something in the world can have; a ratio of two such is a float too.
    """

    positive: bool = False
    negative: bool = True
    finite: bool = True
    physical: bool = False

    def read(self, value: Any) -> float:
        if not self.finite and isinstance(value, str) and value in _NOT_FINITE:
            value = float(value)
        if type(value) is int and value.bit_length() <= _LARGEST_INTEGER_BITS:
            value = float(value)
        if type(value) is not float:
            raise Misfit(f"is {_kind(value)}, must be a number")
        if self.finite and not math.isfinite(value):
            raise Misfit(f"is {_kind(value)}, must be a finite number")
        if (self.positive and not value > 0) or (not self.negative and value < 0):
            raise Misfit(f"is {_kind(value)}, must be {'above' if self.positive else 'at least'} 0")
        if self.physical and value and not 1 / _LARGEST_SIZE <= abs(value) <= _LARGEST_SIZE:
            raise Misfit(f"is {_kind(value)}, must be 0 or of a size from {1 / _LARGEST_SIZE:g} to {_LARGEST_SIZE:g}")
        return value


@dataclass(frozen=True)
class Truth:
    """``true`` or ``false``."""

    def read(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise Misfit(f"is {_kind(value)}, must be true or false")
        return value


@dataclass(frozen=True)
class Text:
    """A text, cut to ``most`` characters."""

    most: int = LONGEST_TEXT

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Misfit(f"is {_kind(value)}, must be a text")
        return printable(value, self.most)


@dataclass(frozen=True)
class Name:
    """A text that identifies something, so that it may not be cut."""

    empty: bool = False

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Misfit(f"is {_kind(value)}, must be a name")
        if not (value or self.empty):
            raise Misfit("is empty, must be a name")
        shown = printable(value, LONGEST_NAME + 1)
        if len(shown) > LONGEST_NAME:
            raise Misfit(f"is a name of over {LONGEST_NAME} characters")
        return shown


@dataclass(frozen=True)
class OneOf:
    """One of a few texts."""

    choices: tuple[str, ...]

    def read(self, value: Any) -> str:
        if not (isinstance(value, str) and value in self.choices):
            raise Misfit(f"{_kind(value)} is none of {', '.join(choice or 'nothing' for choice in self.choices)}")
        return value


@dataclass(frozen=True)
class Scalar:
    """The value of a case's parameter: a text, a number, true or false; not NaN, which does not equal itself."""

    def read(self, value: Any) -> bool | int | float | str:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return Name(empty=True).read(value)
        if isinstance(value, float) and math.isnan(value):
            raise Misfit("is NaN, which no case can have")
        if isinstance(value, float) or (type(value) is int and value.bit_length() <= _LARGEST_INTEGER_BITS):
            return value
        raise Misfit(f"is {_kind(value)}, must be a text, a number, true or false")


@dataclass(frozen=True)
class Maybe:
    """``null`` or what fits ``shape``."""

    shape: Shape

    def read(self, value: Any) -> Any:
        return None if value is None else self.shape.read(value)


@dataclass(frozen=True)
class Each:
    """A list whose elements all fit ``shape``."""

    shape: Shape
    most: int = 1_000_000

    def read(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise Misfit(f"is {_kind(value)}, must be a list")
        if len(value) > self.most:
            raise Misfit(f"is {_kind(value)}, must have at most {self.most} elements")
        found = []
        for index, element in enumerate(value):
            try:
                found.append(self.shape.read(element))
            except Misfit as misfit:
                raise misfit.within(f"[{index}]") from None
        return tuple(found)


@dataclass(frozen=True)
class Table:
    """An object with any names whose values all fit ``shape``."""

    shape: Shape
    most: int = 100_000

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise Misfit(f"is {_kind(value)}, must be an object")
        if len(value) > self.most:
            raise Misfit(f"is {_kind(value)}, must have at most {self.most} names")
        found = {}
        for key, element in value.items():
            name = Name(empty=True).read(key)
            if name in found:
                raise Misfit(f"has two names that are both shown as {name!r}")
            try:
                found[name] = self.shape.read(element)
            except Misfit as misfit:
                raise misfit.within(_step(key)) from None
        return found


@dataclass(frozen=True)
class Anything:
    """Any value, with its texts made printable; what is nested deeper than is ever written is left out."""

    deepest: int = _DEEPEST

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            return printable(value)
        if isinstance(value, list | tuple | Mapping) and not self.deepest:
            raise Misfit("is nested too deeply")
        if isinstance(value, list | tuple):
            return list(Each(Anything(self.deepest - 1)).read(value))
        if isinstance(value, Mapping):
            return Table(Anything(self.deepest - 1)).read(value)
        return value


@dataclass(frozen=True)
class Fields:
    """An object with given names; names that are not described are left to newer programs."""

    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)

    def read(self, value: Any) -> dict[str, Any]:
        """What is described, without what is optional and missing."""
        if not isinstance(value, Mapping):
            raise Misfit(f"is {_kind(value)}, must be an object")
        found = {}
        for shapes in (self.required, self.optional):
            for name, shape in shapes.items():
                if name in value:
                    try:
                        found[name] = shape.read(value[name])
                    except Misfit as misfit:
                        raise misfit.within(_step(name)) from None
                elif shapes is self.required:
                    raise Misfit("is missing", _step(name))
        return found

    def salvage(self, value: Mapping[str, Any]) -> tuple[dict[str, Any], list[Misfit]]:
        """What fits, with what is not described, and a misfit for each part that does not fit."""
        found: dict[str, Any] = {}
        misfits: list[Misfit] = []
        described = {**self.required, **self.optional}
        for key, element in value.items():
            shape = described.get(key, Anything())
            try:
                name = Name(empty=True).read(key)
                if isinstance(shape, Fields) and isinstance(element, Mapping):
                    found[name], inner = shape.salvage(element)
                    misfits += [misfit.within(_step(key)) for misfit in inner]
                else:
                    found[name] = shape.read(element)
            except Misfit as misfit:
                misfits.append(misfit.within(_step(key)))
        return found, misfits


def _step(name: str) -> str:
    return f".{printable(name, 60)}"


def _kind(value: Any) -> str:
    """The value in a few words; containers by their size alone, since they may be large and deep."""
    if isinstance(value, Mapping):
        return f"an object of {len(value)} names"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return f"the text {printable(value, 60)!r}"
    if isinstance(value, int) and value.bit_length() > 80:
        return f"an integer of {value.bit_length()} bits"
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(value), printable(str(value), 60))
