"""The operations on symbols, which write source; and programs turned into functions for their gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.autograd.plain import PLAIN, pieces_of
from impls.building_blocks.autograd.source import Partial, Source, Symbol
from impls.building_blocks.autograd.source_gradient import Compiled, compiled
from suites.autograd.programs import Problem, Program


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
                Partial(x, "{g}.reshape(-1)", f"{start}:{stop}", (start, stop)),
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
    return compiled(source, program(SOURCE, source.x, problem))


def _written(x: Symbol, function: str, back: str) -> Symbol:
    partial = Partial(x, back.format(g="{g}", x=x.name, out=x.source.next_name))
    return x.source.write(f"np.{function}({x.name})", getattr(np, function)(x.array), partial)
