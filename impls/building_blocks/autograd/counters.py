"""What the suite's probes ask of implementations in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from impls.building_blocks.autograd.counting import CountingArray, Operations, unique_bytes
from impls.building_blocks.autograd.plain import PLAIN
from impls.building_blocks.autograd.source import Source
from impls.building_blocks.autograd.source_gradient import Compiled, compiled
from impls.building_blocks.autograd.source_operations import SOURCE
from impls.building_blocks.autograd.tape import Node, Tensor, backward, variable
from impls.building_blocks.autograd.tape_operations import TAPE, TapeOperations, gradient
from suites.autograd.programs import PROGRAMS, Problem, Program

ONE = np.ones(1)


class PassCounters:
    """Of a method that runs the program several times.

    :param gradient: of a function that computes with the method's own numbers.
    :param operations: these numbers' operations.
    """

    def __init__(self, gradient: Callable[..., Any], operations: Any = PLAIN) -> None:
        self._gradient, self._operations = gradient, operations

    def gradient(self, program: Program, x: np.ndarray, problem: Problem) -> np.ndarray:
        return np.asarray(self._gradient(lambda point: program(self._operations, point, problem), x, ONE))

    def derivative(self, function: Callable[[Any], Any], x: float, step: float) -> float:
        """Of a function of one number, with a difference of ``step``."""
        return float(self._gradient(lambda point: function(point[0]), np.array([x]), ONE, step)[0])


class TapeCounters:
    """Of a tape over arrays."""

    def __init__(self, operations: TapeOperations = TAPE) -> None:
        self._operations = operations

    def gradient(self, program: Program, x: np.ndarray, problem: Problem) -> np.ndarray:
        return np.asarray(gradient(self._operations, program, x, problem, ONE.astype(x.dtype)))

    def gradient_and_size(self, program: Program, x: np.ndarray, problem: Problem) -> tuple[np.ndarray, int]:
        """The gradient and the number of nodes it went through."""
        start = variable(x)
        output = program(self._operations, start, problem)
        size = sum(1 for _ in _nodes(output.node))
        backward(output, 1.0)
        return start.gradient, size

    def flops(self, program: Program, x: np.ndarray, problem: Problem) -> tuple[Operations, Operations]:
        """Operations of a value, and of a value with its gradient."""
        value, both = Operations(), Operations()
        for count, run in (
            (value, lambda point, own: program(PLAIN, point, own)),
            (both, lambda point, own: gradient(self._operations, program, point, own, ONE)),
        ):
            run(CountingArray.of(x, count), problem._replace(table=CountingArray.of(problem.table, count)))
        return value, both

    def accumulated(self, program: Program, x: np.ndarray, problems: Sequence[Problem], share: float) -> np.ndarray:
        """What the variable's gradient is after a backward pass of share . f for each of ``problems`` and no reset."""
        start = variable(x)
        for problem in problems:
            backward(program(self._operations, start, problem) * share, 1.0)
        return np.asarray(start.gradient)

    def saved_bytes(self, rng: np.random.Generator, layers: int, width: int, batch: int, *, tracked: bool) -> int:
        """What the graph of equal layers keeps in float32, without recording if not ``tracked``."""
        x = np.full(layers * width**2, 1 / width, np.float32)
        problem = Problem(rng.standard_normal((batch, width), dtype=np.float32), None)
        output = PROGRAMS["layers"](self._operations, variable(x) if tracked else x, problem)
        return unique_bytes(_saved(output.node)) if type(output) is Tensor else 0

    def buffer(self, value: Any) -> tuple[Any, int]:
        """What holds the numbers of a program's value, and its bytes."""
        array = value.array if type(value) is Tensor else value
        return array, array.nbytes


class TracedCounters:
    """Of source that is written once for each program, for whatever x comes first."""

    def __init__(self) -> None:
        self._compiled: dict[Program, tuple[Compiled, int]] = {}

    def gradient_and_size(self, program: Program, x: np.ndarray, problem: Problem) -> tuple[np.ndarray, int]:
        """What the path of the first x gives at this one, and the number of operations on it."""
        if program not in self._compiled:
            source = Source(x, problem)
            output = program(SOURCE, source.x, problem)
            self._compiled[program] = compiled(source, output), len(source.forward)
        function, size = self._compiled[program]
        return function(x, problem.table, problem.targets, x.dtype.type(1.0)), size


def _nodes(output: Node) -> Iterator[Node]:
    seen, stack = {output}, [output]
    while stack:
        node = stack.pop()
        yield node
        for edge in node.edges:
            if edge[0] not in seen:
                seen.add(edge[0])
                stack.append(edge[0])


def _saved(output: Node) -> Iterator[np.ndarray]:
    for node in _nodes(output):
        groups = [edge[2] for edge in node.edges] if type(node.edges) is tuple else [node.edges.saved]
        yield from (each for saved in groups for each in saved if isinstance(each, np.ndarray))
