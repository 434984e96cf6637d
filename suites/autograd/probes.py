"""What the claims count: operations, evaluations, bytes, nodes of graphs; and what differences and sums come to.

``implementation.counters()`` gives what is asked for here by name; programs are handed to it as functions.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.autograd.data import MAKERS, Size
from suites.autograd.operations import Operations
from suites.autograd.programs import DEPENDING_ON_DATA, PROGRAMS, Problem, Program
from suites.autograd.reference import derivative_along
from suites.autograd.smooth import FUNCTIONS

Values = Mapping[str, Sequence[float]]
NETWORKS = ((4, 512, 64), (6, 1024, 64))
"""Layers, width and batch."""
CHAIN_LENGTH = 1_000
WIDTHS, SAVED_LAYERS, SAVED_BATCH = (64, 128, 256, 512, 1_024), 32, 64
DEPTHS, DEEP_WIDTH, DEEP_BATCH = (16, 64, 256, 1_024), 8, 16
STEPS = 10.0 ** -np.arange(1, 15.01, 0.25)
BEST_STEPS = {"forward": 1.5e-8, "central": 6.1e-6}
POINTS = 10
INSTANCES = 100
INPUTS = 1_000
SIZES = {"collatz": 1, "newton": 2, "tree": 9}


def operations(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Operations of value and gradient over those of the value.

    ``layers_LxW``: of matrix products, which are all that counts there; ``chain``: of all operations, where they are
    counted.
    """
    counters, found = _counters(implementation), {}
    for layers, width, batch in NETWORKS:
        x, table, _ = MAKERS["layers"](rng, Size(0, layers, width, batch))
        value, both = counters.flops(PROGRAMS["layers"], x.astype(np.float32), Problem(table.astype(np.float32), None))
        found[f"layers_{layers}x{width}"] = [both.matmul / value.matmul]
    problem = Problem(np.empty((0, 0)), None, CHAIN_LENGTH)
    value, both = counters.flops(PROGRAMS["chain"], rng.uniform(0.5, 2.0, size=1), problem)
    if value.elementwise:
        found["chain"] = [both.elementwise / value.elementwise]
    return found


def evaluations(rng: np.random.Generator, implementation: Implementation, n: int) -> Values:
    """``program_runs``: how often the program runs for one gradient in n numbers."""
    runs = 0

    def counted(ops: Operations, x: Any, problem: Problem) -> Any:
        nonlocal runs
        runs += 1
        return PROGRAMS["tanh_squares"](ops, x, problem)

    x, table, _ = MAKERS["tanh_squares"](rng, Size(n, 0, 0, 0))
    _counters(implementation).gradient(counted, x, Problem(table, None))
    return {"program_runs": [float(runs)]}


def best_step(rng: np.random.Generator, implementation: Implementation, scheme: str) -> Values:
    """``decades_off``: logarithm of the median over 20 functions of the step with the least error, over the rule's.

    One for each of ten points between 0.5 and 1.5. Steps are before the scale max(1, abs(x)), four per decade from 0.1
    to 1e-15.
    """
    derivative = _counters(implementation).derivative
    found = []
    for x in rng.uniform(0.5, 1.5, size=POINTS).tolist():
        best = []
        for function, slope in FUNCTIONS:
            errors = [abs(derivative(function, x, step) - slope(x)) for step in STEPS.tolist()]
            best.append(STEPS[int(np.argmin(errors))])
        found.append(float(np.log10(np.median(best) / BEST_STEPS[scheme])))
    return {"decades_off": found}


def saved_bytes(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Bytes that a graph of 32 layers keeps, batch 64, float32: ``tracked_WIDTH``; ``untracked_WIDTH`` without one."""
    counters = _counters(implementation)
    return {
        f"{name}_{width}": [float(counters.saved_bytes(rng, SAVED_LAYERS, width, SAVED_BATCH, tracked=tracked))]
        for width in WIDTHS
        for name, tracked in (("tracked", True), ("untracked", False))
    }


def accumulation(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Gradients left by several backward passes without a reset, for networks on the digits in float64.

    The largest relative difference of any of 100 instances: ``three_times`` from three times a single gradient,
    ``micro_batches`` of four quarters of a batch, each mean loss over 4, from the whole batch's gradient.
    """
    counters, program = _counters(implementation), PROGRAMS["digits"]
    three, micro = [], []
    for _ in range(INSTANCES):
        x, table, targets = MAKERS["digits"](rng, Size(0, 0, 8, 32))
        whole = Problem(table, targets)
        quarters = [Problem(table[start::4], targets[start::4]) for start in range(4)]
        single = counters.gradient(program, x, whole)
        three.append(_relative(counters.accumulated(program, x, [whole] * 3, 1.0), 3 * single))
        micro.append(_relative(counters.accumulated(program, x, quarters, 0.25), single))
    return {"three_times": [max(three)], "micro_batches": [max(micro)]}


def changing_graphs(rng: np.random.Generator, implementation: Implementation) -> Values:
    """1,000 random inputs of three programs whose path depends on the input, in random order.

    ``largest_error``: of a gradient relative to its largest number, by the complex step; ``graph_sizes``: how many
    different sizes of graphs there were.
    """
    counters = _counters(implementation)
    worst, sizes = 0.0, set()
    for name in rng.choice(DEPENDING_ON_DATA, size=INPUTS).tolist():
        x, table, targets = MAKERS[name](rng, Size(SIZES[name], 0, 0, 0))
        problem = Problem(table, targets)
        expected = np.array([derivative_along(name, x, problem, axis)[0] for axis in np.eye(len(x))])
        found, size = counters.gradient_and_size(PROGRAMS[name], x, problem)
        worst = max(worst, _relative(found, expected))
        sizes.add(size)
    return {"largest_error": [worst], "graph_sizes": [float(len(sizes))]}


def checkpointing(rng: np.random.Generator, implementation: Implementation) -> Values:
    """Equal layers in about the square root of their number of segments, against the same in one piece.

    ``bytes_LAYERS``: the most bytes of activations that are kept at any time, first input and segments' inputs
    included; ``exponent``: with which they grow in the number of layers; ``plain_exponent``: without segments;
    ``differing``: numbers of the gradients whose bits differ.
    """
    counters, found = _counters(implementation), {}
    peaks: dict[bool, list[int]] = {True: [], False: []}
    differing = 0
    for depth in DEPTHS:
        x, table, _ = MAKERS["layers"](rng, Size(0, depth, DEEP_WIDTH, DEEP_BATCH))
        gradients = []
        for cut in (True, False):
            alive = LiveBytes(counters)
            problem = Problem(table.copy(), None, segments=round(depth**0.5) if cut else depth)
            gradients.append(counters.gradient(_watched(alive, cut), x, problem))
            peaks[cut].append(alive.peak_bytes)
        differing += int(np.sum(gradients[0].view(np.int64) != gradients[1].view(np.int64)))
        found[f"bytes_{depth}"] = [float(peaks[True][-1])]
    exponents = {cut: float(np.polyfit(np.log(DEPTHS), np.log(peaks[cut]), 1)[0]) for cut in peaks}
    return {
        **found,
        "exponent": [exponents[True]],
        "plain_exponent": [exponents[False]],
        "differing": [float(differing)],
    }


class LiveBytes:
    """How many bytes of the values that were shown to it are in memory, now and at most."""

    def __init__(self, counters: Any) -> None:
        self._counters = counters
        self._alive_bytes = self.peak_bytes = 0

    def watch(self, value: Any) -> Any:
        buffer, size = self._counters.buffer(value)
        self._alive_bytes += size
        self.peak_bytes = max(self.peak_bytes, self._alive_bytes)
        weakref.finalize(buffer, self._forget, size)
        return value

    def _forget(self, size: int) -> None:
        self._alive_bytes -= size


class _Watching:
    """Operations that show every activation to a meter; without ``cut`` a checkpoint is a plain call."""

    def __init__(self, ops: Operations, alive: LiveBytes, cut: bool) -> None:
        self._ops, self._alive = ops, alive
        self.split, self.total = ops.split, ops.total
        self.checkpoint = ops.checkpoint if cut else lambda function, *values: function(*values)

    def tanh(self, x: Any) -> Any:
        return self._alive.watch(self._ops.tanh(x))


def _watched(alive: LiveBytes, cut: bool) -> Program:
    def program(ops: Operations, x: Any, problem: Problem) -> Any:
        alive.watch(problem.table)
        watching: Any = _Watching(ops, alive, cut)
        return PROGRAMS["layers"](watching, x, problem)

    return program


def _counters(implementation: Implementation) -> Any:
    if implementation.counters is None:
        raise ValueError(f"{implementation.function.__module__} has no counters")
    return implementation.counters()


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    error = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    return error if np.isfinite(error) else float("inf")


PROBES: Mapping[str, Probe] = {
    "operations": Probe(operations, unit="1"),
    "evaluations": Probe(evaluations, unit="1"),
    "best_step": Probe(best_step, unit="decades"),
    "saved_bytes": Probe(saved_bytes, unit="bytes"),
    "accumulation": Probe(accumulation, unit="1"),
    "changing_graphs": Probe(changing_graphs, unit="1"),
    "checkpointing": Probe(checkpointing, unit="1"),
}
