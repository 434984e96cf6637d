"""The GPU timer: its control and its arithmetic on a simulated device, and on a real one where there is one.

The simulated device works through a queue on a clock of its own, so that every figure is known to the nanosecond.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation, Output, Suite, Tolerance, grid, implements
from harness.instruments import InstrumentUnavailable
from harness.instruments.cuda_device import Event, Graph, flush_bytes
from harness.instruments.cuda_timing import (
    BLOCK_PER_DISPATCH,
    LONGEST_BLOCK_NS,
    MOST_LENGTHENINGS,
    SHORTEST_BLOCK_NS,
    BlockControl,
    Cache,
    CudaTimer,
)
from harness.instruments.nvml import gpu_count
from harness.instruments.timing import make_timer


def suite(*phases: str) -> Suite:
    return Suite(
        name="topic",
        title="A topic",
        cases=grid(n=[1]),
        make_inputs=lambda rng, n: {"x": rng.normal(size=n)},
        reference=lambda x: {"y": x},
        phases={phase: (Output("y", Tolerance()),) if phase == phases[-1] else () for phase in phases},
        baseline="b",
        axis="n",
    )


X = {"x": np.zeros(3)}
CALL = ("call",)


class SimulatedEvent:
    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self.reached_ns = float("inf")

    def record(self) -> None:
        self.reached_ns = max(self._device.now_ns, self._device.busy_until_ns)

    def query(self) -> bool:
        return self.reached_ns <= self._device.now_ns

    def elapsed_time(self, end: SimulatedEvent) -> float:
        return (end.reached_ns - self.reached_ns) / 1e6


class SimulatedGraph:
    def __init__(self, device: SimulatedDevice, work: Callable[[], object]) -> None:
        self._device = device
        self._work = work

    def replay(self) -> None:
        """All of the work in one launch."""
        launches = self._device.launch
        durations_ns: list[float] = []
        self._device.launch = lambda host_ns, device_ns: durations_ns.append(device_ns)  # type: ignore[method-assign]
        try:
            self._work()
        finally:
            self._device.launch = launches  # type: ignore[method-assign]
        self._device.launch(1000, sum(durations_ns))


class SimulatedDevice:
    """A device with a queue, and the host's clock; only what it is told to do takes time."""

    def __init__(self) -> None:
        self.now_ns = 0.0
        self.busy_until_ns = 0.0
        self.flushed = False
        self.blocks_ns: list[float] = []
        self.capture_error = ""

    def clock_ns(self) -> float:
        return self.now_ns

    def launch(self, host_ns: float, device_ns: float) -> None:
        """Queue a kernel of ``device_ns``, which takes the host ``host_ns``."""
        self.now_ns += host_ns
        self.busy_until_ns = max(self.now_ns, self.busy_until_ns) + device_ns

    def flush(self) -> None:
        self.flushed = True
        self.launch(3000, 60_000)

    def block(self, duration_ns: float) -> None:
        self.blocks_ns.append(duration_ns)
        self.launch(3000, duration_ns)

    def event(self) -> Event:
        return SimulatedEvent(self)

    def synchronise(self) -> None:
        self.now_ns = max(self.now_ns, self.busy_until_ns)

    def capture(self, works: list[Callable[[], object]], rehearse: Callable[[], object]) -> list[Graph]:
        if self.capture_error:
            raise InstrumentUnavailable(self.capture_error)
        rehearse()
        return [SimulatedGraph(self, work) for work in works]


def timer(
    device: SimulatedDevice, implementation: Implementation, cache: Cache = "cold", graph: bool = False
) -> CudaTimer:
    return CudaTimer(implementation, cache=cache, graph=graph, device=device, clock_ns=device.clock_ns)


def launching(device: SimulatedDevice, *launches_ns: tuple[float, float]) -> Implementation:
    """A call that queues kernels; each is given by the host's and the device's nanoseconds."""

    def call(x: np.ndarray) -> np.ndarray:
        for host_ns, device_ns in launches_ns:
            device.launch(host_ns, device_ns)
        return x

    return implements(suite("call"))(call)


NANOSECONDS = st.integers(0, 2_000_000)


@settings(max_examples=20)
@given(st.lists(st.tuples(NANOSECONDS, NANOSECONDS), min_size=1, max_size=8), st.integers(1, 5))
def test_device_time_is_the_kernels_and_nothing_of_the_host(
    launches_ns: list[tuple[int, int]], iterations: int
) -> None:
    """However slowly the host launches: at first the block is too short, so that gaps would be counted."""
    device = SimulatedDevice()
    timed = timer(device, launching(device, *launches_ns))
    values = timed.sample(lambda: X, CALL, iterations)
    assert values["call"] == pytest.approx(sum(device_ns for _, device_ns in launches_ns), abs=1.0)
    assert not timed.host_waits
    dispatch = timed.dispatch_ns(lambda: X, CALL, iterations)
    assert dispatch["call"] == pytest.approx(sum(host_ns for host_ns, _ in launches_ns), abs=1.0)


def test_the_block_follows_the_measured_dispatch() -> None:
    """Ten launches of 20 us: a block of 100 us was too short, twice the dispatch is enough."""
    device = SimulatedDevice()
    timer(device, launching(device, *[(20_000.0, 5_000.0)] * 10)).sample(lambda: X, CALL, 3)
    assert device.blocks_ns == [SHORTEST_BLOCK_NS] + [BLOCK_PER_DISPATCH * 200_000.0] * 3


def test_phases_are_timed_apart_on_device_and_host() -> None:
    device = SimulatedDevice()
    closed: list[str] = []

    def build_and_query(x: np.ndarray) -> Iterator[Any]:
        device.launch(10_000, 7_000)
        yield
        device.launch(30_000, 500)
        try:
            yield x
        finally:
            device.synchronise()  # what comes after the last phase is not part of it
            closed.append("closed")

    timed = timer(device, implements(suite("build", "query"))(build_and_query))
    phases = ("build", "query")
    assert timed.sample(lambda: X, phases, 2) == pytest.approx({"build": 7000.0, "query": 500.0})
    assert timed.dispatch_ns(lambda: X, phases, 2) == pytest.approx({"build": 10_000.0, "query": 30_000.0})
    assert timed.sample(lambda: X, ("build",), 1) == pytest.approx({"build": 7000.0})
    assert len(closed) == 4


def test_a_call_that_waits_for_the_device_is_found_out_and_timed_with_its_waiting() -> None:
    """It launches, reads back, and launches again: 40 us of kernels, and 5 us of host between them."""
    device = SimulatedDevice()

    def read_back(x: np.ndarray) -> np.ndarray:
        device.launch(5_000, 20_000)
        device.synchronise()
        device.launch(5_000, 20_000)
        device.synchronise()
        return x

    timed = timer(device, implements(suite("call"))(read_back))
    assert timed.sample(lambda: X, CALL, 3)["call"] == pytest.approx(50_000.0)
    assert timed.host_waits
    with pytest.raises(InstrumentUnavailable, match="waits for the device"):
        timed.dispatch_ns(lambda: X, CALL, 1)


def test_cold_and_warm_caches_are_told_apart() -> None:
    """A kernel that takes 9 us with a cold cache and 4 us with what the call before has left in it."""
    device = SimulatedDevice()
    device.flushed = True

    def call(x: np.ndarray) -> np.ndarray:
        device.launch(1_000, 9_000 if device.flushed else 4_000)
        device.flushed = False
        return x

    implementation = implements(suite("call"))(call)
    assert timer(device, implementation, "cold").sample(lambda: X, CALL, 4)["call"] == pytest.approx(9_000.0)
    device.flushed = True
    assert timer(device, implementation, "warm").sample(lambda: X, CALL, 4)["call"] == pytest.approx(4_000.0)


@pytest.mark.parametrize("cache", ["cold", "warm"])
def test_a_contestant_that_writes_into_its_input_gets_a_fresh_one_each_call(cache: Cache) -> None:
    """Also when the call is repeated because the block was too short."""
    device = SimulatedDevice()
    seen: list[float] = []

    def call(x: np.ndarray) -> np.ndarray:
        device.launch(400_000, 1_000)
        seen.append(float(x[0]))
        x += 1
        return x

    timed = timer(device, implements(suite("call"), mutates=("x",))(call), cache)
    timed.sample(lambda: {"x": np.zeros(3)}, CALL, 4)
    assert seen == [0.0] * 5


def test_a_graph_is_captured_once_and_takes_the_host_out() -> None:
    device = SimulatedDevice()
    calls: list[int] = []

    def call(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        for _ in range(50):
            device.launch(10_000, 2_000)
        return x

    timed = timer(device, implements(suite("call"))(call), graph=True)
    inputs = dict(X)

    def fresh_inputs() -> dict[str, Any]:
        return inputs

    assert timed.sample(fresh_inputs, CALL, 3)["call"] == pytest.approx(100_000.0)
    assert timed.dispatch_ns(fresh_inputs, CALL, 3)["call"] == pytest.approx(1_000.0)
    assert len(calls) == 1 + 3 + 3  # one rehearsal; the simulated graph does its work again at each replay


def test_a_call_that_cannot_be_captured_gives_the_reason() -> None:
    device = SimulatedDevice()
    device.capture_error = "operation not permitted when stream is capturing"
    with pytest.raises(InstrumentUnavailable, match="not permitted when stream is capturing"):
        timer(device, launching(device, (1.0, 1.0)), graph=True).sample(lambda: X, CALL, 1)
    assert gc.isenabled()


def test_the_collector_is_off_while_a_call_is_timed_and_on_afterwards() -> None:
    device = SimulatedDevice()
    collector: list[bool] = []

    def call(x: np.ndarray) -> np.ndarray:
        collector.append(gc.isenabled())
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        timer(device, implements(suite("call"))(call)).sample(lambda: X, CALL, 1)
    assert collector == [False]
    assert gc.isenabled()


def test_one_stall_of_the_host_lengthens_the_block_for_a_while_only() -> None:
    control = BlockControl()
    assert control.accept(10_000.0, covered=True)
    assert not control.accept(5_000_000.0, covered=False)
    assert control.block_ns == BLOCK_PER_DISPATCH * 5_000_000.0
    assert control.accept(10_000.0, covered=True)
    assert control.block_ns == SHORTEST_BLOCK_NS
    assert not control.host_waits


def test_the_block_has_bounds() -> None:
    control = BlockControl()
    assert not control.accept(10 * LONGEST_BLOCK_NS, covered=False)
    assert control.block_ns == LONGEST_BLOCK_NS


def test_only_calls_that_are_never_covered_are_held_to_wait() -> None:
    control = BlockControl()
    for _ in range(3):
        for _ in range(MOST_LENGTHENINGS):
            assert not control.accept(control.block_ns + 1.0, covered=False)
        assert control.accept(1.0, covered=True)
    assert not control.host_waits
    for _ in range(MOST_LENGTHENINGS + 1):
        assert not control.accept(control.block_ns + 1.0, covered=False)
    assert control.host_waits
    assert control.block_ns == 0.0
    assert control.accept(1e9, covered=False)


def test_the_flush_is_larger_than_the_cache_and_needs_to_know_it() -> None:
    assert flush_bytes(50 * 2**20) == 100 * 2**20
    with pytest.raises(InstrumentUnavailable, match="0 bytes as the size"):
        flush_bytes(0)


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("graph", [False, True])
def test_a_kernel_of_twice_the_cycles_takes_twice_as_long(graph: bool) -> None:
    """A kernel that spins for a number of cycles, one in each phase; clocks may move by a few percent in between."""
    import torch

    def spin(x: Any) -> Iterator[Any]:
        torch.cuda._sleep(2_000_000)
        yield
        torch.cuda._sleep(4_000_000)
        yield x

    implementation = implements(suite("one", "two"), arrays="torch", devices=("cuda",))(spin)
    inputs = {"x": torch.zeros(3, device="cuda")}
    values = CudaTimer(implementation, graph=graph).sample(lambda: inputs, ("one", "two"), 10)
    assert values["two"] / values["one"] == pytest.approx(2.0, rel=0.1)


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
def test_a_call_that_reads_back_is_found_out_on_a_gpu() -> None:
    import torch

    def read_back(x: Any) -> Any:
        return x if float(x.sum()) >= 0 else -x

    implementation = implements(suite("call"), arrays="torch", devices=("cuda",))(read_back)
    timed = make_timer(implementation, "cuda")
    assert isinstance(timed, CudaTimer)
    inputs = {"x": torch.zeros(3, device="cuda")}
    assert timed.sample(lambda: inputs, CALL, 3)["call"] > 0
    assert timed.host_waits
    with pytest.raises(InstrumentUnavailable, match="captured"):
        CudaTimer(implementation, graph=True).sample(lambda: inputs, CALL, 1)
