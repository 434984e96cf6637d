"""Source transformation: a program is run once on symbols, which write down straight-line Python for its gradient.

What comes out has neither a graph to build nor one to walk, and holds for every x of the same shape, as long as the
program does not choose by x what it does: then it repeats the path of the x it was traced with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from impls.building_blocks.autograd import rules
from impls.building_blocks.autograd.plain import PLAIN, pieces_of
from suites.autograd.programs import Problem, Program

Compiled = Callable[[np.ndarray, Any, Any, Any], np.ndarray]


class Partial(NamedTuple):
    """How a gradient goes on to one input: ``{g}`` in the expression stands for what arrives.

    :param place: where in the input it belongs; all of it if empty.
    """

    source: Symbol
    expression: str
    place: str = ""


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
    """The source so far: a line for each operation, and with it the way back."""

    def __init__(self, x: np.ndarray, problem: Problem) -> None:
        self.names: dict[str, Any] = {"np": np, "reduced": rules.reduced}
        self._arguments = (("table", problem.table), ("targets", problem.targets))
        self._forward: list[str] = []
        self._back: list[tuple[Symbol, tuple[Partial, ...]]] = []
        self.x = Symbol(self, "x", x)

    @property
    def next_name(self) -> str:
        """What the next operation's result will be called."""
        return f"v{len(self._forward)}"

    @property
    def operation_count(self) -> int:
        return len(self._forward)

    def write(self, expression: str, array: Any, *partials: Partial) -> Symbol:
        symbol = Symbol(self, self.next_name, array)
        self._forward.append(f"{symbol.name} = {expression}")
        self._back.append((symbol, partials))
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

    def compiled(self, output: Symbol) -> Compiled:
        """A function (x, table, targets, seed) to the gradient of seed . output."""
        lines = ["def gradient(x, table, targets, seed):", *self._forward, f"g_{output.name} = seed"]
        written, own = {output.name}, set()
        for symbol, partials in reversed(self._back):
            if symbol.name not in written:
                continue
            for source, expression, index in partials:
                target, value = f"g_{source.name}", expression.format(g=f"g_{symbol.name}")
                first = source.name not in written
                if index and source.name not in own:
                    lines.append(f"{target} = np.zeros({source.shape}, x.dtype)" + ("" if first else f" + {target}"))
                if index:
                    lines.append(self._added(target, index, value))
                    own.add(source.name)
                elif first:
                    lines.append(f"{target} = {value}")
                elif source.name in own:
                    lines.append(f"{target} += {value}")
                else:
                    lines.append(f"{target} = {target} + {value}")
                    own.add(source.name)
                written.add(source.name)
        lines.append("return g_x" if "x" in written else "return np.zeros_like(x)")
        exec(compile("\n    ".join(lines), "<gradient>", "exec"), self.names)
        function: Compiled = self.names["gradient"]
        return function

    def _added(self, target: str, index: str, value: str) -> str:
        if isinstance(self.names.get(index), np.ndarray):
            return f"np.add.at({target}, {index}, {value})"  # an index may occur twice
        return f"{target}[{index}] += {value}"

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


class SourceOperations:
    def exp(self, x: Any) -> Any:
        return _written(x, "exp", "{g} * {out}")

    def log(self, x: Any) -> Any:
        return _written(x, "log", "{g} / {x}")

    def sin(self, x: Any) -> Any:
        return _written(x, "sin", "{g} * np.cos({x})")

    def cos(self, x: Any) -> Any:
        return _written(x, "cos", "-{g} * np.sin({x})")

    def tanh(self, x: Any) -> Any:
        return _written(x, "tanh", "{g} * (1.0 - {out} * {out})")

    def absolute(self, x: Any) -> Any:
        return _written(x, "absolute", "{g} * np.sign({x})")

    def positive(self, x: Symbol) -> Symbol:
        return x.source.write(f"{x.name} > 0", x.array > 0)

    def where(self, mask: Symbol, chosen: Any, other: Any) -> Symbol:
        source = mask.source
        arrays = [each.array if type(each) is Symbol else each for each in (chosen, other)]
        texts = [source.text(each) for each in (chosen, other)]
        array = np.where(mask.array, *arrays)
        ways = (f"np.where({mask.name}, {{g}}, 0.0)", f"np.where({mask.name}, 0.0, {{g}})")
        partials = [
            Partial(each, way if each.shape == array.shape else f"reduced({way}, {each.shape})")
            for each, way in zip((chosen, other), ways, strict=True)
            if type(each) is Symbol
        ]
        return source.write(f"np.where({mask.name}, {texts[0]}, {texts[1]})", array, *partials)

    def largest(self, x: Symbol) -> Symbol:
        place = x.source.write(f"{x.name}.argmax()", x.array.argmax())
        return x.source.write(f"{x.name}[{place.name}]", x.array[place.array], Partial(x, "{g}", place.name))

    def total(self, x: Symbol, axis: int | None = None) -> Symbol:
        arriving = "{g}" if axis is None else f"np.expand_dims({{g}}, {axis})"
        back = Partial(x, f"np.broadcast_to({arriving}, {x.shape})")
        return x.source.write(f"np.add.reduce({x.name}, axis={axis})", PLAIN.total(x.array, axis), back)

    def split(self, x: Symbol, shapes: Sequence[tuple[int, ...]]) -> list[Symbol]:
        return [
            x.source.write(
                f"{x.name}[{start}:{stop}].reshape({shape})",
                x.array[start:stop].reshape(shape),
                Partial(x, "{g}.reshape(-1)", f"{start}:{stop}"),
            )
            for start, stop, shape in pieces_of(shapes)
        ]

    def number(self, x: Symbol) -> float:
        return float(x.array)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


SOURCE = SourceOperations()


def transform(program: Program, x: np.ndarray, problem: Problem) -> Compiled:
    """The gradient of ``program`` as a function (x, table, targets, seed), for the path that this x takes."""
    source = Source(x, problem)
    return source.compiled(program(SOURCE, source.x, problem))


def _written(x: Symbol, function: str, back: str) -> Symbol:
    partial = Partial(x, back.format(g="{g}", x=x.name, out=x.source.next_name))
    return x.source.write(f"np.{function}({x.name})", getattr(np, function)(x.array), partial)
