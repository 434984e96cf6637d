"""Source transformation: a program is run once on symbols, which write down straight-line Python for its gradient.

What comes out has neither a graph to build nor one to walk, and holds for every x of the same shape, as long as the
program does not choose by x what it does: then it repeats the path of the x it was traced with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from impls.building_blocks.autograd import rules
from suites.autograd.programs import Problem


class Partial(NamedTuple):
    """How a gradient goes on to one input: ``{g}`` in the expression stands for what arrives.

    :param place: where in the input it belongs; all of it if empty.
    :param piece: start and stop of it in a vector, where the place is one of consecutive pieces.
    """

    source: Symbol
    expression: str
    place: str = ""
    piece: tuple[int, int] | None = None


class Symbol:
    """A name in the source that is being written, with the numbers that it has for the x of the trace."""

    __slots__ = ("array", "name", "source")
    __array_ufunc__ = None

    def __init__(self, source: Source, name: str, array: Any) -> None:
        self.source, self.name, self.array = source, name, array

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.array.shape
        return shape

    def __add__(self, other: Any) -> Symbol:
        return self.source.binary(self, "+", other, "{g}", "{g}")

    __radd__ = __add__

    def __neg__(self) -> Symbol:
        return self.source.write(f"-{self.name}", -self.array, Partial(self, "-{g}"))

    def __sub__(self, other: Any) -> Symbol:
        return self.source.binary(self, "-", other, "{g}", "-{g}")

    def __rsub__(self, other: Any) -> Symbol:
        return self.source.binary(other, "-", self, "", "-{g}")

    def __mul__(self, other: Any) -> Symbol:
        return self.source.binary(self, "*", other, "{g} * {b}", "{g} * {a}")

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Symbol:
        return self.source.binary(self, "/", other, "{g} / {b}", "-{g} * {out} / {b}")

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.source.binary(other, "/", self, "", "-{g} * {out} / {b}")

    def __pow__(self, exponent: float) -> Symbol:
        slope = f"{{g}} * ({exponent!r} * {self.name} ** {exponent - 1!r})"
        return self.source.write(f"{self.name} ** {exponent!r}", self.array**exponent, Partial(self, slope))

    def __matmul__(self, other: Any) -> Symbol:
        return self.source.product(self, other)

    def __rmatmul__(self, other: Any) -> Symbol:
        return self.source.product(other, self)

    def __getitem__(self, index: Any) -> Symbol:
        array = self.array[index]
        text = repr(index) if isinstance(index, int) else self.source.constant(index)
        return self.source.write(f"{self.name}[{text}]", array, Partial(self, "{g}", text))


class Source:
    """The source so far.

    :ivar names: what it refers to besides its arguments.
    :ivar forward: a line for each operation.
    :ivar back: the result of each operation, and how its gradient goes on.
    """

    def __init__(self, x: np.ndarray, problem: Problem) -> None:
        self.names: dict[str, Any] = {"np": np, "reduced": rules.reduced}
        self._arguments = (("table", problem.table), ("targets", problem.targets))
        self.forward: list[str] = []
        self.back: list[tuple[Symbol, tuple[Partial, ...]]] = []
        self.x = Symbol(self, "x", x)

    @property
    def next_name(self) -> str:
        """What the next operation's result will be called."""
        return f"v{len(self.forward)}"

    def write(self, expression: str, array: Any, *partials: Partial) -> Symbol:
        symbol = Symbol(self, self.next_name, array)
        self.forward.append(f"{symbol.name} = {expression}")
        self.back.append((symbol, partials))
        return symbol

    def binary(self, a: Any, operator: str, b: Any, to_a: str, to_b: str) -> Symbol:
        """Both gradients may name ``{a}``, ``{b}`` and the result ``{out}``."""
        arrays = [each.array if type(each) is Symbol else each for each in (a, b)]
        array = _OPERATORS[operator](*arrays)
        texts = {"a": self.text(a), "b": self.text(b), "out": self.next_name, "g": "{g}"}
        partials = []
        for each, expression in ((a, to_a), (b, to_b)):
            if type(each) is Symbol:
                text = expression.format(**texts)
                partials.append(Partial(each, text if each.shape == array.shape else f"reduced({text}, {each.shape})"))
        return self.write(f"{texts['a']} {operator} {texts['b']}", array, *partials)

    def product(self, a: Any, b: Any) -> Symbol:
        arrays = [each.array if type(each) is Symbol else each for each in (a, b)]
        left, right = _PRODUCTS[arrays[0].ndim, arrays[1].ndim]
        texts = {"a": self.text(a), "b": self.text(b), "g": "{g}"}
        sides = ((a, left), (b, right))
        partials = [Partial(each, expression.format(**texts)) for each, expression in sides if type(each) is Symbol]
        return self.write(f"{texts['a']} @ {texts['b']}", arrays[0] @ arrays[1], *partials)

    def constant(self, value: Any) -> str:
        """A name for something that is the same in every call."""
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def text(self, value: Any) -> str:
        if type(value) is Symbol:
            return value.name
        if isinstance(value, int | float):
            return f"({value!r})"
        for name, array in self._arguments:
            if value is array:
                return name
        return self.constant(value)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
_PRODUCTS = {
    (2, 2): ("{g} @ {b}.T", "{a}.T @ {g}"),
    (2, 1): ("np.multiply.outer({g}, {b})", "{a}.T @ {g}"),
    (1, 2): ("{b} @ {g}", "np.multiply.outer({a}, {g})"),
    (1, 1): ("{g} * {b}", "{g} * {a}"),
}
