"""A stand-in for the ``pynvml`` module where there is no GPU: it replays recorded readings."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """What the real module raises."""


class RecordedNvml:
    """Replays a trace of (seconds, millijoules, milliwatts) against its own clock.

    ``clock`` advances by ``step_s`` whenever it is read, and so does time for the readings: the counter shows the last
    recorded value at or before now, as the device's counter does between two updates.
    """

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2

    def __init__(self, trace: Sequence[tuple[float, int, int]], step_s: float, name: str | bytes = "Recorded GPU"):
        self._trace = trace
        self._step_s = step_s
        self._name = name
        self.now_s = 0.0

    def clock(self) -> float:
        self.now_s += self._step_s
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def _reading(self) -> tuple[float, int, int]:
        return [reading for reading in self._trace if reading[0] <= self.now_s][-1]

    def nvmlInit(self) -> None:  # noqa: N802 - the real module's names
        if not self._trace:
            raise NVMLError("Driver Not Loaded")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:  # noqa: N802
        return self._name

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        return b"550.54.15"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(total=80 * 2**30)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        return self._reading()[1]

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        return self._reading()[2]

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:  # noqa: N802
        return 41

    def nvmlDeviceGetClockInfo(self, handle: int, kind: int) -> int:  # noqa: N802
        return {self.NVML_CLOCK_SM: 1980, self.NVML_CLOCK_MEM: 2619}[kind]

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: int) -> int:  # noqa: N802
        return 0


def steady_trace(idle_w: float, busy_w: float, busy_from_s: float, seconds: float, period_s: float = 0.1) -> list[Any]:
    """The counter of a device that idles and then works, updated every ``period_s``."""
    trace = []
    energy_mj = 1_000_000.0
    for index in range(round(seconds / period_s) + 1):
        now_s = index * period_s
        power_w = busy_w if now_s >= busy_from_s else idle_w
        trace.append((now_s, round(energy_mj), round(power_w * 1e3)))
        energy_mj += power_w * period_s * 1e3
    return trace
