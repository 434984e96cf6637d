"""NVIDIA's management library: energy, power, clocks, temperature, through nvidia-ml-py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.instruments import InstrumentUnavailable


@dataclass(frozen=True)
class GpuState:
    """What else the device says while it is measured."""

    temperature_c: float
    sm_clock_mhz: float
    memory_clock_mhz: float
    throttle_reasons: int


class NvmlDevice:
    """One GPU as NVML sees it.

    :param nvml: the ``pynvml`` module, or in tests one that replays recorded readings.
    """

    def __init__(self, nvml: Any, index: int = 0) -> None:
        self._nvml = nvml
        try:
            nvml.nvmlInit()
            self._handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError as error:
            raise InstrumentUnavailable(f"no NVIDIA GPU can be read: {error}") from error

    @property
    def name(self) -> str:
        name = self._nvml.nvmlDeviceGetName(self._handle)
        return name.decode() if isinstance(name, bytes) else str(name)

    @property
    def driver(self) -> str:
        version = self._nvml.nvmlSystemGetDriverVersion()
        return version.decode() if isinstance(version, bytes) else str(version)

    @property
    def memory_bytes(self) -> int:
        return int(self._nvml.nvmlDeviceGetMemoryInfo(self._handle).total)

    def energy_j(self) -> float:
        """Energy since the driver was loaded, in joules (NVML counts millijoules)."""
        try:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3
        except self._nvml.NVMLError as error:
            raise InstrumentUnavailable(f"{self.name} has no total-energy counter: {error}") from error

    def power_w(self) -> float:
        """Present power draw in watts (NVML counts milliwatts)."""
        try:
            return float(self._nvml.nvmlDeviceGetPowerUsage(self._handle)) / 1e3
        except self._nvml.NVMLError as error:
            raise InstrumentUnavailable(f"{self.name} does not tell its power: {error}") from error

    def state(self) -> GpuState:
        nvml, handle = self._nvml, self._handle
        return GpuState(
            temperature_c=float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
            sm_clock_mhz=float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),
            memory_clock_mhz=float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),
            throttle_reasons=int(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)),
        )


def open_gpu(index: int = 0) -> NvmlDevice:
    """The GPU at ``index``.

    :raises InstrumentUnavailable: nvidia-ml-py is not installed, or there is no GPU or no driver.
    """
    try:
        import pynvml
    except ModuleNotFoundError as error:
        raise InstrumentUnavailable("package nvidia-ml-py is not installed; pip install nvidia-ml-py") from error
    return NvmlDevice(pynvml, index)


_DRIVER_FILES = ("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg")


def gpu_count() -> int:
    """How many NVIDIA GPUs there are, without initialising any of them."""
    if not any(Path(file).exists() for file in _DRIVER_FILES):
        return 0
    try:
        import pynvml

        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount())
    except Exception:  # no package, no driver and no permission all mean: none that could be used
        return 0
