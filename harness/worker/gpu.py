"""What is read besides the time of a call on a GPU: the device's state, and the call's cost in other circumstances."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from harness.contract import Implementation
from harness.instruments import InstrumentUnavailable
from harness.instruments.cuda_timing import CudaTimer
from harness.instruments.gpu_state import GpuState
from harness.instruments.nvml import NvmlDevice, open_gpu, torch_gpu_uuid
from harness.instruments.timing import FreshInputs

BESIDES_CALLS = 10

_T = TypeVar("_T")


class GpuWatch:
    """Reads clocks, temperature and what holds the clocks down before and after each sample.

    :param device: as NVML sees it; ``None`` where NVML cannot be asked, and then nothing is read.
    """

    def __init__(self, device: NvmlDevice | None) -> None:
        self._device = device

    @classmethod
    def open(cls) -> GpuWatch:
        try:
            return cls(open_gpu(uuid=torch_gpu_uuid()))
        except InstrumentUnavailable:
            return cls(None)

    def around(self, take: Callable[[], _T]) -> tuple[_T, dict[str, float], tuple[str, ...]]:
        """What ``take`` returns, the readings by name, and the flags that the sample deserves."""
        if self._device is None:
            return take(), {}, ()
        before = self._device.state()
        taken = take()
        state = before.combined(self._device.state())
        return taken, _readings(state), state.flags


def costs_besides(
    implementation: Implementation, fresh_inputs: FreshInputs, phases: tuple[str, ...]
) -> dict[str, float]:
    """Nanoseconds per call with a warm second-level cache, and of the host to queue a call where it can be told."""
    warm = CudaTimer(implementation, cache="warm")
    found = {"warm_cache_ns": sum(warm.sample(fresh_inputs, phases, BESIDES_CALLS).values())}
    with suppress(InstrumentUnavailable):
        found["dispatch_ns"] = sum(warm.dispatch_ns(fresh_inputs, phases, BESIDES_CALLS).values())
    return found


def _readings(state: GpuState) -> dict[str, float]:
    values = {
        "temperature_c": state.temperature_c,
        "sm_clock_mhz": state.sm_clock_mhz,
        "memory_clock_mhz": state.memory_clock_mhz,
    }
    return {name: value for name, value in values.items() if value is not None}
