"""What else a GPU says while it is measured: clocks, temperature and why its clocks are held down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

# nvml.h: the bits of nvmlClocksEventReason*, until driver 535 called nvmlClocksThrottleReason*.
THROTTLE_REASONS: Mapping[int, str] = {
    0x004: "sw_power_cap",
    0x008: "hw_slowdown",
    0x010: "sync_boost",
    0x020: "sw_thermal_slowdown",
    0x040: "hw_thermal_slowdown",
    0x080: "hw_power_brake_slowdown",
    0x200: "board_limit",
    0x400: "reliability",
}
# Clocks that are low because nothing runs, or that somebody set on purpose, are no throttling.
NO_THROTTLING: Mapping[int, str] = {0x001: "gpu_idle", 0x002: "applications_clocks", 0x100: "display_clocks"}


@dataclass(frozen=True)
class GpuState:
    """One reading, or several combined; a field that could not be read is ``None``.

    :param temperature_c: of the GPU die, in degrees Celsius.
    :param sm_clock_mhz: present clock of the multiprocessors.
    :param memory_clock_mhz: present clock of the memory.
    :param throttled: names of what holds the clocks down, see :data:`THROTTLE_REASONS`; empty if nothing does, and also
        if it could not be read, in which case ``throttle_known`` is false.
    """

    temperature_c: float | None = None
    sm_clock_mhz: float | None = None
    memory_clock_mhz: float | None = None
    throttled: tuple[str, ...] = ()
    throttle_known: bool = False

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Names of the fields that could not be read."""
        missing = [
            name for name in ("temperature_c", "sm_clock_mhz", "memory_clock_mhz") if getattr(self, name) is None
        ]
        return tuple(missing if self.throttle_known else [*missing, "throttled"])

    @property
    def flags(self) -> tuple[str, ...]:
        """What a sample that was taken in this state is flagged with: ``throttled`` and each reason."""
        return ("throttled", *self.throttled) if self.throttled else ()

    def combined(self, other: GpuState) -> GpuState:
        """The worse of two readings, such as those before and after a sample.

        The higher temperature, the lower clocks and every reason seen in either.
        """
        return GpuState(
            temperature_c=_of_both(max, self.temperature_c, other.temperature_c),
            sm_clock_mhz=_of_both(min, self.sm_clock_mhz, other.sm_clock_mhz),
            memory_clock_mhz=_of_both(min, self.memory_clock_mhz, other.memory_clock_mhz),
            throttled=tuple(dict.fromkeys((*self.throttled, *other.throttled))),
            throttle_known=self.throttle_known or other.throttle_known,
        )


def read_gpu_state(nvml: Any, handle: Any) -> GpuState:
    """The state now. What NVML refuses (MIG mode, no permission, an old driver) is ``None``; nothing is raised."""
    reasons = _reasons(nvml, handle)
    return GpuState(
        temperature_c=_value(nvml, lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
        sm_clock_mhz=_value(nvml, lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
        memory_clock_mhz=_value(nvml, lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
        throttled=() if reasons is None else throttle_names(int(reasons)),
        throttle_known=reasons is not None,
    )


def throttle_names(reasons: int) -> tuple[str, ...]:
    """The reasons in NVML's bit mask by name; a bit that this program does not know is shown as a number."""
    names = [name for bit, name in THROTTLE_REASONS.items() if reasons & bit]
    unknown = reasons & ~sum((*THROTTLE_REASONS, *NO_THROTTLING))
    return (*names, f"unknown_0x{unknown:x}") if unknown else tuple(names)


def _reasons(nvml: Any, handle: Any) -> float | None:
    """By the present name of the call, and by the former one where package or driver knows only that."""
    for name in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
        reasons = _value(nvml, partial(getattr(nvml, name), handle)) if hasattr(nvml, name) else None
        if reasons is not None:
            return reasons
    return None


def _value(nvml: Any, read: Callable[[], float]) -> float | None:
    try:
        return float(read())
    except nvml.NVMLError:
        return None


def _of_both(worse: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return worse(one, other)
