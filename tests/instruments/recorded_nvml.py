"""A stand-in for the ``pynvml`` module where there is no GPU: it replays recorded readings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from tests.instruments.replaying import ReplayedTime


class NVMLError(Exception):
    """What the real module raises."""


@dataclass(frozen=True)
class Reading:
    """What the device shows from ``time_s`` on; ``None`` where it answers with an error."""

    time_s: float
    energy_mj: int | None
    power_mw: int | None


@dataclass(frozen=True)
class Refusals:
    """Calls that this GPU or its driver answers with an error, by the name of the error."""

    instant_power: str = "Not Supported"
    mig: str = "Not Supported"
    state: str = ""
    event_reasons: str = ""


class RecordedNvml:
    """Replays a trace against a replayed time: the last reading at or before now, as between two updates.

    :param fails: whether a call for energy or power fails this time.
    """

    NVMLError = NVMLError
    NVML_SUCCESS = 0
    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1
    NVML_CLOCK_MEM = 2
    NVML_DEVICE_MIG_ENABLE = 1
    NVML_FI_DEV_POWER_INSTANT = 186

    def __init__(
        self,
        trace: Sequence[Reading],
        time: ReplayedTime | None = None,
        name: str | bytes = "Recorded GPU",
        refusals: Refusals | None = None,
        reasons: Callable[[float], int] = lambda now_s: 0,
        fails: Callable[[], bool] = lambda: False,
    ) -> None:
        self._trace = trace
        self._times_s = [reading.time_s for reading in trace]
        self._time = time or ReplayedTime()
        self._name = name
        self._refusals = refusals or Refusals()
        self._reasons = reasons
        self._fails = fails
        self.uuids: list[str] = []

    def _reading(self) -> Reading:
        return self._trace[bisect_right(self._times_s, self._time.now_s) - 1]

    def _answer(self, value: int | None) -> int:
        if self._fails():
            raise NVMLError("Timeout")
        if value is None:
            raise NVMLError("GPU is lost")
        return value

    def _refuse(self, refusal: str) -> None:
        if refusal:
            raise NVMLError(refusal)

    def nvmlInit(self) -> None:  # noqa: N802 - the real module's names
        if not self._trace:
            raise NVMLError("Driver Not Loaded")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:  # noqa: N802
        self.uuids.append(uuid)
        return 0

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:  # noqa: N802
        return self._name

    def nvmlSystemGetDriverVersion(self) -> bytes:  # noqa: N802
        return b"550.54.15"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(total=80 * 2**30)

    def nvmlDeviceGetMigMode(self, handle: int) -> list[int]:  # noqa: N802
        self._refuse(self._refusals.mig)
        return [self.NVML_DEVICE_MIG_ENABLE, self.NVML_DEVICE_MIG_ENABLE]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        return self._answer(self._reading().energy_mj)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        return self._answer(self._reading().power_mw)

    def nvmlDeviceGetFieldValues(self, handle: int, fields: Sequence[int]) -> list[Any]:  # noqa: N802
        power_mw = 0 if self._refusals.instant_power else self._answer(self._reading().power_mw)
        code = 3 if self._refusals.instant_power else self.NVML_SUCCESS
        return [SimpleNamespace(nvmlReturn=code, value=SimpleNamespace(uiVal=power_mw)) for _ in fields]

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:  # noqa: N802
        self._refuse(self._refusals.state)
        return 41

    def nvmlDeviceGetClockInfo(self, handle: int, kind: int) -> int:  # noqa: N802
        self._refuse(self._refusals.state)
        return {self.NVML_CLOCK_SM: 1980, self.NVML_CLOCK_MEM: 2619}[kind]

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: int) -> int:  # noqa: N802
        self._refuse(self._refusals.event_reasons or self._refusals.state)
        return self._reasons(self._time.now_s)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: int) -> int:  # noqa: N802
        self._refuse(self._refusals.state)
        return self._reasons(self._time.now_s)


def record_power(
    power_w: Callable[[float], float], seconds: float, period_s: float = 0.1, phase_s: float = 0.0
) -> list[Reading]:
    """What a device shows that draws ``power_w(time)`` and is renewed every ``period_s``.

    The power shown is that of the moment of the update; the counter is integrated in steps of a fiftieth of a period
    by the midpoint rule, and shown in whole millijoules.
    """
    trace = [Reading(0.0, 1_000_000, round(power_w(0.0) * 1e3))]
    energy_j, steps = 1000.0, 50
    for index in range(round(seconds / period_s)):
        begin_s = index * period_s + phase_s
        energy_j += sum(power_w(begin_s + (step + 0.5) * period_s / steps) for step in range(steps)) * period_s / steps
        now_s = begin_s + period_s
        trace.append(Reading(now_s, round(energy_j * 1e3), round(power_w(now_s) * 1e3)))
    return trace


def steady(idle_w: float, busy_w: float, busy_from_s: float) -> Callable[[float], float]:
    """Idle until a moment, then busy for good."""
    return lambda now_s: busy_w if now_s >= busy_from_s else idle_w


def from_then_on(trace: Sequence[Reading], begin_s: float, **changes: Any) -> list[Reading]:
    """The trace with fields of all readings from ``begin_s`` on replaced."""
    return [replace(reading, **changes) if reading.time_s >= begin_s else reading for reading in trace]


def frozen(trace: Sequence[Reading], begin_s: float) -> list[Reading]:
    """The trace of a sensor that stands still from ``begin_s`` on, and answers all the same."""
    return [reading for reading in trace if reading.time_s < begin_s]


def started_again(trace: Sequence[Reading], at_s: float) -> list[Reading]:
    """The trace with a counter that starts again from 0 at ``at_s``."""
    start = next(reading.energy_mj for reading in trace if reading.time_s >= at_s)
    assert start is not None
    return [
        replace(reading, energy_mj=reading.energy_mj - start)
        if reading.time_s >= at_s and reading.energy_mj is not None
        else reading
        for reading in trace
    ]
