"""The operations on tensors of the tape; on arrays without one they compute and record nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.autograd import rules
from impls.building_blocks.autograd.plain import PLAIN, pieces_of
from impls.building_blocks.autograd.tape import Node, Tensor, backward, variable
from suites.autograd.programs import Problem, Program


class TapeOperations:
    def exp(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.exp(x)
        out = np.exp(x.array)
        return Tensor(out, ((x.node, rules.times, (out,), None),))

    def log(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.log(x)
        return Tensor(np.log(x.array), ((x.node, rules.by_logarithm, (x.array,), None),))

    def sin(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.sin(x)
        return Tensor(np.sin(x.array), ((x.node, rules.by_sine, (x.array,), None),))

    def cos(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.cos(x)
        return Tensor(np.cos(x.array), ((x.node, rules.by_cosine, (x.array,), None),))

    def tanh(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.tanh(x)
        out = np.tanh(x.array)
        return Tensor(out, ((x.node, rules.by_tanh, (out,), None),))

    def absolute(self, x: Any) -> Any:
        if type(x) is not Tensor:
            return np.absolute(x)
        return Tensor(np.absolute(x.array), ((x.node, rules.by_absolute, (x.array,), None),))

    def positive(self, x: Any) -> Any:
        return (x.array if type(x) is Tensor else x) > 0

    def where(self, mask: Any, chosen: Any, other: Any) -> Any:
        arrays = [each.array if type(each) is Tensor else each for each in (chosen, other)]
        out = np.where(mask, *arrays)
        sides = ((chosen, rules.chosen), (other, rules.not_chosen))
        edges = tuple(
            (each.node, rule, (mask,), None if each.shape == out.shape else each.shape)
            for each, rule in sides
            if type(each) is Tensor
        )
        return Tensor(out, edges) if edges else out

    def largest(self, x: Any) -> Any:
        return x[int((x.array if type(x) is Tensor else x).argmax())]

    def total(self, x: Any, axis: int | None = None) -> Any:
        if type(x) is not Tensor:
            return PLAIN.total(x, axis)
        return Tensor(PLAIN.total(x.array, axis), ((x.node, rules.spread, (x.shape, axis), None),))

    def split(self, x: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
        if type(x) is not Tensor:
            return PLAIN.split(x, shapes)
        return [
            Tensor(x.array[start:stop].reshape(shape), ((x.node, rules.piece, (start, stop, x.shape), None),))
            for start, stop, shape in pieces_of(shapes)
        ]

    def number(self, x: Any) -> float:
        return float(x.array if type(x) is Tensor else x)

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        return function(*values)


class CheckpointingOperations(TapeOperations):
    """Keeps the inputs of a checkpoint alone and records it a second time when its gradient arrives."""

    def checkpoint(self, function: Callable[..., Any], *values: Any) -> Any:
        if not any(type(each) is Tensor for each in values):
            return function(*values)
        arrays = tuple(each.array if type(each) is Tensor else each for each in values)
        return Tensor(function(*arrays), Segment(function, values, arrays))


class Segment:
    """In place of the edges of a checkpoint's output."""

    def __init__(self, function: Callable[..., Any], values: tuple[Any, ...], arrays: tuple[Any, ...]) -> None:
        self._function, self.saved = function, arrays
        self._sources = tuple(each.node if type(each) is Tensor else None for each in values)

    def __iter__(self) -> Iterator[tuple[Node]]:
        return ((source,) for source in self._sources if source is not None)

    def pull(self, arriving: Any) -> Iterator[tuple[Node, Any]]:
        """Run the checkpoint on variables of its own and go back through it."""
        inner = [
            array if source is None else variable(array)
            for source, array in zip(self._sources, self.saved, strict=True)
        ]
        backward(self._function(*inner), arriving)
        for source, own in zip(self._sources, inner, strict=True):
            if source is not None:
                yield source, np.zeros_like(own.array) if own.gradient is None else own.gradient


TAPE = TapeOperations()
CHECKPOINTING = CheckpointingOperations()


def gradient(
    operations: TapeOperations, program: Program, x: np.ndarray, problem: Problem, cotangent: np.ndarray
) -> Any:
    """The gradient (n,) of cotangent . f at x."""
    start = variable(x)
    output = program(operations, start, problem)
    backward(output, cotangent.reshape(output.shape) if output.shape else cotangent[0])
    return np.zeros_like(x) if start.gradient is None else start.gradient
