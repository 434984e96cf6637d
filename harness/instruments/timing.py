"""Wall clock: the monotonic clock on a CPU, device events with a cold second-level cache on a GPU."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from harness.contract import Implementation, Inputs

PhaseTimes = dict[str, float]
FreshInputs = Callable[[], Inputs]

# On a machine whose CPUs are shared, with a neighbour's hyper-thread or another guest, a CPU runs at one of two speeds
# and changes between them within milliseconds: the mean of a sample mixes both, the median of its parts hardly ever.
# The median of skewed noise depends on their number, so contestants of about the same cost must have the same.
PARTS = 5
RESOLUTIONS_PER_PART = 1000.0
# How far a single call may be off for the speed of the CPU at that moment.
_SPEED_RANGE = 2.0
WARMUP_CALLS = 3
FEWEST_WARMUP = 20
OVERHEAD_ITERATIONS = 200


class Timer(Protocol):
    """Times whole calls; the values are nanoseconds per call, by phase."""

    def sample(
        self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int = 0
    ) -> PhaseTimes: ...

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> float: ...


@dataclass(frozen=True)
class Calibration:
    """How often the call is repeated in a sample, and what the clock itself costs.

    :param iterations: calls in a sample.
    :param part: calls between two readings of the clock.
    :param longest_part_ns: a call that takes longer is a sample by itself.
    :param loop_overhead_ns: what a call that does nothing comes to when it is timed in the same way; for an inline
        expression how far from nothing a loop without one came.
    """

    iterations: int
    part: int
    longest_part_ns: float
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

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int = 0) -> PhaseTimes:
        """Time ``iterations`` calls with the garbage collector off; the median over parts of the mean of their calls.

        :param part: calls in a part, which divides ``iterations``; 0 makes the sample one part.
        """
        part = part or iterations
        gc.collect()
        gc.disable()
        try:
            if self._implementation.is_generator:
                return self._phased(fresh_inputs, phases, iterations, part)
            return self._plain(fresh_inputs, phases[0], iterations, part)
        finally:
            gc.enable()

    def _plain(self, fresh_inputs: FreshInputs, phase: str, iterations: int, part: int) -> PhaseTimes:
        function, clock = self._function, time.perf_counter_ns
        if self._implementation.mutates:
            elapsed = []
            for _ in range(iterations):
                inputs = fresh_inputs()
                begin = clock()
                function(**inputs)
                elapsed.append(clock() - begin)
            return {phase: _median_of_parts(elapsed, part)}
        inputs = fresh_inputs()
        readings = [clock()]
        for _ in range(iterations // part):
            for _ in range(part):
                function(**inputs)
            readings.append(clock())
        return {phase: statistics.median(end - begin for begin, end in pairwise(readings)) / part}

    def _phased(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int) -> PhaseTimes:
        clock = time.perf_counter_ns
        elapsed: dict[str, list[int]] = {phase: [] for phase in phases}
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
                    elapsed[phase].append(now - begin)
                    begin = now
            finally:
                generator.close()
        return {phase: _median_of_parts(each, part) for phase, each in elapsed.items()}


def _median_of_parts(elapsed_ns: Sequence[int], part: int) -> float:
    sums = (sum(elapsed_ns[start : start + part]) for start in range(0, len(elapsed_ns), part))
    return statistics.median(sums) / part


def make_timer(implementation: Implementation, device: str, *, graph: bool = False) -> Timer:
    """:param graph: on a GPU replay calls from a captured graph."""
    if device == "cuda":
        from harness.instruments.cuda_timing import CudaTimer  # which takes its types from here

        return CudaTimer(implementation, graph=graph)
    if implementation.inline:
        from harness.instruments.inline_timing import InlineTimer  # likewise

        return InlineTimer(implementation)
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


def calibrate(
    warmup: tuple[Warm, ...],
    sample_target_ns: float,
    overhead_ns: float = 0.0,
    longest_part_ns: float = 0.0,
    beside_ns: float = 0.0,
) -> Calibration:
    """Choose how many calls make a part: with ``PARTS`` of them a sample lasts about ``sample_target_ns``.

    A part is at least a thousand times the clock's resolution long. A call too long for a part is a sample by itself.

    :param overhead_ns: what the timer found a call that does nothing to come to.
    :param longest_part_ns: the baseline's, so that who costs about the same is sampled in the same way; 0 chooses one
        that is far from the call's own duration.
    :param beside_ns: what a sample takes for each call beyond the call's own figure.
    """
    resolution_ns = clock_resolution_ns()
    call_ns = max(min(warm.duration_ns for warm in warmup) + beside_ns, 1.0)
    target_ns = max(sample_target_ns, PARTS * RESOLUTIONS_PER_PART * resolution_ns)
    if not longest_part_ns:
        middle_ns = target_ns / 2
        short = call_ns <= middle_ns
        longest_part_ns = max(middle_ns, call_ns * _SPEED_RANGE) if short else min(middle_ns, call_ns / _SPEED_RANGE)
    if call_ns > longest_part_ns:
        return Calibration(1, 1, longest_part_ns, resolution_ns, overhead_ns)
    part = max(1, math.ceil(target_ns / PARTS / call_ns))
    return Calibration(part * PARTS, part, longest_part_ns, resolution_ns, overhead_ns)


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
