"""Device time on a GPU: events around each call, with a cold or a warm second-level cache.

A kernel that only spins keeps the device busy while the host queues the call, so that the start event does not wait
for dispatch and the device finds all of the call's work at hand. Whether the host was done before the block ended is
checked for each call; where it was not, the block is made longer and the call repeated. What the host needs to queue
a call is a figure of its own (:meth:`CudaTimer.dispatch_ns`).
"""

from __future__ import annotations

import gc
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from harness.contract import Implementation, Inputs
from harness.instruments import InstrumentUnavailable
from harness.instruments.cuda_device import CudaDevice, Device, Event, Graph
from harness.instruments.timing import FreshInputs, PhaseTimes

Cache = Literal["cold", "warm"]
Mark = Callable[[], None]
Call = Callable[[Mark], None]
"""Does one call, phase by phase, and marks the end of each."""

# Enough for the launches of a short call at some microseconds each; longer ones are found out.
SHORTEST_BLOCK_NS = 100_000.0
# A host that needs longer has more than a thousand launches in the queue, which makes it wait for the device anyway.
LONGEST_BLOCK_NS = 200_000_000.0
BLOCK_PER_DISPATCH = 2.0
MOST_LENGTHENINGS = 4
OVERHEAD_REPEATS = 9
_REMEMBERED_CALLS = 16


@dataclass
class BlockControl:
    """How long the device is kept busy while the host queues a call.

    :ivar host_waits: the host was never done before the block ended, however long it was: the call waits for the
        device itself (it reads a value back, or fills the queue). Nothing is blocked then, and the events include the
        waiting, which is part of what such a call costs.
    """

    block_ns: float = SHORTEST_BLOCK_NS
    host_waits: bool = False
    _lengthened: int = 0
    _dispatches_ns: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_CALLS))

    def accept(self, dispatch_ns: float, covered: bool) -> bool:
        """Whether a call counts whose queueing took ``dispatch_ns``; if not it must be repeated.

        :param covered: the device was still in the block when the host had queued the call.
        """
        if self.host_waits:
            return True
        if covered:
            self._lengthened = 0
            self._dispatches_ns.append(dispatch_ns)
            self.block_ns = self._within_bounds(max(self._dispatches_ns))
            return True
        if self._lengthened == MOST_LENGTHENINGS:
            self.host_waits, self.block_ns = True, 0.0
        else:
            self._lengthened += 1
            self.block_ns = self._within_bounds(max(dispatch_ns, self.block_ns))
        return False

    @staticmethod
    def _within_bounds(dispatch_ns: float) -> float:
        return min(max(BLOCK_PER_DISPATCH * dispatch_ns, SHORTEST_BLOCK_NS), LONGEST_BLOCK_NS)


class CudaTimer:
    """Times calls on a GPU by device events.

    :param cache: ``cold``: the second-level cache is overwritten before each call; ``warm``: it holds what the call
        before, on the same inputs, has left.
    :param graph: replay the call from a CUDA graph, one for each phase, which takes the host out of it.
    """

    def __init__(
        self,
        implementation: Implementation,
        *,
        cache: Cache = "cold",
        graph: bool = False,
        device: Device | None = None,
        clock_ns: Callable[[], float] = time.perf_counter_ns,
    ) -> None:
        self._implementation = implementation
        self._cold = cache == "cold"
        self._graph = graph
        self._device: Device = CudaDevice() if device is None else device
        self._clock_ns = clock_ns
        self._control = BlockControl()
        self._replays: tuple[tuple[FreshInputs, tuple[str, ...]], Iterator[Call]] | None = None

    @property
    def host_waits(self) -> bool:
        """Whether the calls wait for the device themselves, so that the host's part is in the figure."""
        return self._control.host_waits

    def sample(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int, part: int = 0) -> PhaseTimes:
        """Device nanoseconds per call by phase, mean of ``iterations`` calls, each timed by itself.

        :param part: of no use here, where no other process shares the device.
        :raises InstrumentUnavailable: the cache cannot be flushed, or the call not be captured in a graph.
        """
        return self._mean(fresh_inputs, phases, iterations, lambda timed: timed.device_ns)

    def overhead_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> float:
        """Device nanoseconds between two events with nothing in between, the median of a few."""
        gaps_ns = []
        for _ in range(OVERHEAD_REPEATS):
            begin, end = self._device.event(), self._device.event()
            self._device.block(SHORTEST_BLOCK_NS)
            begin.record()
            end.record()
            self._device.synchronise()
            gaps_ns.append(begin.elapsed_time(end) * 1e6)
        return statistics.median(gaps_ns)

    def dispatch_ns(self, fresh_inputs: FreshInputs, phases: tuple[str, ...], iterations: int) -> PhaseTimes:
        """Host nanoseconds to queue a call by phase, mean of ``iterations`` calls; the device is busy meanwhile.

        :raises InstrumentUnavailable: the call waits for the device, so that its dispatch cannot be told apart.
        """
        times = self._mean(fresh_inputs, phases, iterations, lambda timed: timed.dispatch_ns)
        if self.host_waits:
            raise InstrumentUnavailable(
                "the call waits for the device before it returns (it reads a value back, or queues more than the "
                "device's queue holds), so the time to queue it cannot be told apart"
            )
        return times

    def _mean(
        self,
        fresh_inputs: FreshInputs,
        phases: tuple[str, ...],
        iterations: int,
        read: Callable[[_Timed], tuple[float, ...]],
    ) -> PhaseTimes:
        calls = self._calls(fresh_inputs, phases)
        totals_ns = [0.0] * len(phases)
        with _collector_off():
            if not self._cold and not self._implementation.mutates:
                next(calls)(lambda: None)  # warms the cache; inputs that are written into are warm from being made
            counted = 0
            while counted < iterations:
                timed = self._time(next(calls), phases)
                if self._control.accept(sum(timed.dispatch_ns), timed.covered):
                    counted += 1
                    totals_ns = [total + value for total, value in zip(totals_ns, read(timed), strict=True)]
        return {phase: total / iterations for phase, total in zip(phases, totals_ns, strict=True)}

    def _time(self, call: Call, phases: tuple[str, ...]) -> _Timed:
        device, clock_ns = self._device, self._clock_ns
        events = [device.event() for _ in range(len(phases) + 1)]
        remaining: Iterator[Event] = iter(events[1:])
        dispatches_ns: list[float] = []
        begin_ns = 0.0
        covered = False

        def mark() -> None:
            nonlocal begin_ns, covered
            dispatches_ns.append(clock_ns() - begin_ns)
            next(remaining).record()
            covered = not events[0].query()
            begin_ns = clock_ns()

        if self._cold:
            device.flush()
        if self._control.host_waits:
            device.synchronise()
        else:
            device.block(self._control.block_ns)
        events[0].record()
        begin_ns = clock_ns()
        call(mark)
        device.synchronise()
        return _Timed(
            device_ns=tuple(begin.elapsed_time(end) * 1e6 for begin, end in pairwise(events)),
            dispatch_ns=tuple(dispatches_ns),
            covered=covered,
        )

    def _calls(self, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> Iterator[Call]:
        if not self._graph:
            return _eager_calls(self._implementation, fresh_inputs, phases)
        if self._replays is None or self._replays[0] != (fresh_inputs, phases):
            captured = _replays(self._implementation, self._device, fresh_inputs, phases)
            self._replays = (fresh_inputs, phases), captured
        return self._replays[1]


@dataclass(frozen=True)
class _Timed:
    """One call, by phase; ``covered`` as in :class:`BlockControl`."""

    device_ns: tuple[float, ...]
    dispatch_ns: tuple[float, ...]
    covered: bool


def _eager_calls(implementation: Implementation, fresh_inputs: FreshInputs, phases: tuple[str, ...]) -> Iterator[Call]:
    """Calls as the host makes them; each with inputs of its own if they are written into."""
    inputs = fresh_inputs()
    while True:
        yield lambda mark, inputs=inputs: _run(implementation, inputs, phases, mark)  # type: ignore[misc]
        if implementation.mutates:
            inputs = fresh_inputs()


def _run(implementation: Implementation, inputs: Inputs, phases: tuple[str, ...], mark: Mark) -> None:
    if not implementation.is_generator:
        result = implementation.function(**inputs)
        mark()
        del result
        return
    generator = implementation.function(**inputs)
    delivered: list[Any] = []
    try:
        for _ in phases:
            delivered.append(next(generator))
            mark()
    finally:
        generator.close()


def _replays(
    implementation: Implementation, device: Device, fresh_inputs: FreshInputs, phases: tuple[str, ...]
) -> Iterator[Call]:
    """Replays of graphs captured once, on the inputs of then; what is written into is made fresh before each."""
    inputs = fresh_inputs()
    delivered: list[Any] = []
    generator: Any = implementation.function(**inputs) if implementation.is_generator else None

    def work() -> None:
        delivered.append(implementation.function(**inputs) if generator is None else next(generator))

    graphs = device.capture([work for _ in phases], lambda: _run(implementation, fresh_inputs(), phases, lambda: None))
    try:
        while True:
            if implementation.mutates:
                fresh = fresh_inputs()
                for name in implementation.mutates:
                    inputs[name].copy_(fresh[name])
            yield lambda mark: _replay(graphs, mark)
    finally:
        if generator is not None:
            generator.close()


def _replay(graphs: list[Graph], mark: Mark) -> None:
    for graph in graphs:
        graph.replay()
        mark()


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
