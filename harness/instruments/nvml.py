"""NVIDIA's management library: energy, power, clocks, temperature, through nvidia-ml-py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.instruments import InstrumentUnavailable
from harness.instruments.gpu_state import GpuState, read_gpu_state


class NvmlDevice:
    """One GPU as NVML sees it.

    :param nvml: the ``pynvml`` module, or in tests one that replays recorded readings.
    :param index: its place in NVML's order, which need not be CUDA's.
    :param uuid: identifies it whatever the order and ``CUDA_VISIBLE_DEVICES``; goes before ``index``.
    """

    def __init__(self, nvml: Any, index: int = 0, uuid: str = "") -> None:
        self._nvml = nvml
        self._tells_instant_power: bool | None = None  # until it was asked
        try:
            nvml.nvmlInit()
            by_index = nvml.nvmlDeviceGetHandleByIndex
            self._handle = nvml.nvmlDeviceGetHandleByUUID(uuid) if uuid else by_index(index)
        except nvml.NVMLError as error:
            which = f"GPU {uuid}" if uuid else f"GPU {index}"
            raise InstrumentUnavailable(
                f"no NVIDIA GPU can be read: {error} ({which}); check that nvidia-smi lists it"
            ) from error

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

    @property
    def is_partitioned(self) -> bool:
        """Whether it is in MIG mode, in which its sensors speak of all instances together."""
        try:
            mode, _ = self._nvml.nvmlDeviceGetMigMode(self._handle)
        except self._nvml.NVMLError:  # a GPU that cannot be partitioned
            return False
        return bool(mode == self._nvml.NVML_DEVICE_MIG_ENABLE)

    def energy_j(self) -> float:
        """Energy since the driver was loaded, in joules (NVML counts millijoules, from Volta on).

        :raises InstrumentUnavailable: it has no such counter, or did not answer this time.
        """
        try:
            return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1e3
        except self._nvml.NVMLError as error:
            raise InstrumentUnavailable(f"the GPU's total-energy counter cannot be read: {error}") from error

    def power_w(self) -> float:
        """Power draw in watts (NVML counts milliwatts): the present one where the driver tells it.

        Otherwise what ``nvmlDeviceGetPowerUsage`` gives, which from Ampere on (except GA100) is the mean of the last
        second (NVML API reference).

        :raises InstrumentUnavailable: it does not tell its power, or did not answer this time.
        """
        if self._tells_instant_power is None:
            self._tells_instant_power = self._try_instant_power()
        try:
            read = self._instant_power_mw if self._tells_instant_power else self._reported_power_mw
            power_mw = read()
        except self._nvml.NVMLError as error:
            raise InstrumentUnavailable(f"the GPU's power cannot be read: {error}") from error
        if power_mw <= 0:
            raise InstrumentUnavailable(f"the GPU's power reads {power_mw} mW, which no running GPU draws")
        return float(power_mw) / 1e3

    def state(self) -> GpuState:
        """Clocks, temperature and throttling now; what cannot be read is ``None``, nothing is raised."""
        return read_gpu_state(self._nvml, self._handle)

    def _try_instant_power(self) -> bool:
        """Drivers before 530 and older GPUs do not tell it."""
        try:
            return self._instant_power_mw() > 0
        except self._nvml.NVMLError:
            return False

    def _instant_power_mw(self) -> int:
        value = self._nvml.nvmlDeviceGetFieldValues(self._handle, [self._nvml.NVML_FI_DEV_POWER_INSTANT])[0]
        if value.nvmlReturn != self._nvml.NVML_SUCCESS:
            raise self._nvml.NVMLError(value.nvmlReturn)
        return int(value.value.uiVal)

    def _reported_power_mw(self) -> int:
        return int(self._nvml.nvmlDeviceGetPowerUsage(self._handle))


def open_gpu(index: int = 0, uuid: str = "") -> NvmlDevice:
    """The GPU with ``uuid``, or the one at ``index`` of NVML's order.

    :raises InstrumentUnavailable: nvidia-ml-py is not installed, or there is no GPU or no driver.
    """
    try:
        import pynvml
    except ModuleNotFoundError as error:
        raise InstrumentUnavailable("package nvidia-ml-py is not installed; pip install nvidia-ml-py") from error
    return NvmlDevice(pynvml, index, uuid)


def torch_gpu_uuid() -> str:
    """The UUID of the GPU that torch uses, which need not be NVML's first; empty where torch does not tell it."""
    import torch

    uuid = getattr(torch.cuda.get_device_properties(torch.cuda.current_device()), "uuid", None)
    return "" if uuid is None else f"GPU-{str(uuid).removeprefix('GPU-')}"


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
