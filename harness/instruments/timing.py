"""Wall clock: the monotonic clock on a CPU, device events with a cold second-level cache on a GPU."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from harness.contract import Implementation, Inputs

PhaseTimes = dict[str, float]
FreshInputs = Callable[[], Inputs]

WARMUP_CALLS = 3
FEWEST_WARMUP = 20
OVERHEAD_ITERATIONS = 200


class Timer(Protocol):
    """Times whole calls; the values are nanoseconds per call, by phase."""

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int) -> PhaseTimes: ...

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> float: ...


@dataclass(frozen=True)
class Calibration:
    """How often the call is repeated in a sample, and what the clock itself costs.

    :param loop_overhead_ns: what a call that does nothing comes to when it is timed in the same way.
    """

    iterations: int
    clock_resolution_ns: float
    loop_overhead_ns: float


@dataclass(frozen=True)
class Warm:
    """A sample of the warm-up."""

    values: PhaseTimes
    iterations: int

    @property
    def duration_ns(self) -> float:
        return sum(self.values.values())


class CpuTimer:
    """The monotonic clock around calls on the host.

    Settle the heap first (``gc.collect(); gc.freeze()``): collecting before each sample then costs next to nothing.
    """

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self._function = implementation.function

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], repeats: int = 5) -> float:
        """The figure of a call that does nothing, with the same arguments, phases and loop."""
        empty = CpuTimer(self._implementation)
        empty._function = _empty_call(phases) if self._implementation.is_generator else _nothing
        inputs = fresh_inputs()
        figures = [sum(empty.sample(lambda: inputs, phases, OVERHEAD_ITERATIONS).values()) for _ in range(repeats)]
        return statistics.median(figures)

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int) -> PhaseTimes:
        """Time ``iterations`` calls with the garbage collector off."""
        gc.collect()
        gc.disable()
        try:
            if self._implementation.is_generator:
                return self._phased(fresh_inputs, phases, iterations)
            return self._plain(fresh_inputs, phases[0], iterations)
        finally:
            gc.enable()

    def _plain(self, fresh_inputs: FreshInputs, phase: str, iterations: int) -> PhaseTimes:
        function = self._function
        if self._implementation.mutates:
            elapsed = 0
            for _ in range(iterations):
                inputs = fresh_inputs()
                begin = time.perf_counter_ns()
                function(**inputs)
                elapsed += time.perf_counter_ns() - begin
        else:
            inputs = fresh_inputs()
            begin = time.perf_counter_ns()
            for _ in range(iterations):
                function(**inputs)
            elapsed = time.perf_counter_ns() - begin
        return {phase: elapsed / iterations}

    def _phased(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int) -> PhaseTimes:
        clock = time.perf_counter_ns
        elapsed = dict.fromkeys(phases, 0)
        inputs = fresh_inputs()
        for iteration in range(iterations):
            if iteration and self._implementation.mutates:
                inputs = fresh_inputs()
            delivered: list[Any] = []
            begin = clock()
            generator = self._function(**inputs)
            try:
                for phase in phases:
                    delivered.append(next(generator))
                    now = clock()
                    elapsed[phase] += now - begin
                    begin = now
            finally:
                generator.close()
        return {phase: total / iterations for phase, total in elapsed.items()}


def make_timer(implementation: Implementation, device: str, *, graph: bool = False) -> Timer:
    """:param graph: on a GPU replay calls from a captured graph."""
    if device == "cuda":
        from harness.instruments.cuda_timing import CudaTimer  # which takes its types from here

        return CudaTimer(implementation, graph=graph)
    return CpuTimer(implementation)


def warm_up(timer: Timer, fresh_inputs: FreshInputs, phases: tuple[str, ...], at_least_s: float) -> tuple[Warm, ...]:
    """Call until ``WARMUP_CALLS`` calls and ``at_least_s`` have passed; one call suffices if it takes far longer.

    The first calls are timed one by one, later ones in samples that double in length, so that they stay few.
    """
    samples: list[Warm] = []
    begin = time.perf_counter()
    iterations = 1
    while True:
        samples.append(Warm(timer.sample(fresh_inputs, phases, iterations), iterations))
        elapsed = time.perf_counter() - begin
        if elapsed >= at_least_s and (len(samples) >= WARMUP_CALLS or elapsed >= WARMUP_CALLS * at_least_s):
            return tuple(samples)
        if len(samples) >= WARMUP_CALLS and samples[-1].duration_ns * iterations < at_least_s * 1e9 / FEWEST_WARMUP:
            iterations *= 2


def calibrate(warmup: tuple[Warm, ...], sample_target_ns: float, overhead_ns: float = 0.0) -> Calibration:
    """Choose the number of calls in a sample so that it lasts about ``sample_target_ns``.

    The target is raised where the clock is too coarse for it: a sample is at least a thousand times its resolution.

    :param overhead_ns: what the timer found a call that does nothing to come to.
    """
    resolution_ns = clock_resolution_ns()
    call_ns = min(warm.duration_ns for warm in warmup)
    target_ns = max(sample_target_ns, 1000 * resolution_ns)
    iterations = max(1, round(target_ns / max(call_ns, 1.0)))
    return Calibration(iterations, resolution_ns, overhead_ns)


def _nothing(**inputs: Any) -> None:
    return None


def _empty_call(phases: tuple[str, ...]) -> Callable[..., Iterator[None]]:
    def empty(**inputs: Any) -> Iterator[None]:
        for _ in phases:
            yield

    return empty


def clock_resolution_ns(readings: int = 1000) -> float:
    """The smallest step seen between successive readings of the clock."""
    steps = []
    for _ in range(readings):
        begin = time.perf_counter_ns()
        end = time.perf_counter_ns()
        while end == begin:
            end = time.perf_counter_ns()
        steps.append(end - begin)
    return float(min(steps))


def loop_overhead_ns(iterations: int = 10_000, repeats: int = 5) -> float:
    """What the timing loop costs per iteration around a function that does nothing."""

    def nothing() -> None:
        return None

    costs = []
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        for _ in range(iterations):
            nothing()
        costs.append((time.perf_counter_ns() - begin) / iterations)
    return statistics.median(costs)
