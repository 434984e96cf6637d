"""What a GPU says of its clocks, its temperature and itself, and what is made of it where it says nothing."""

from __future__ import annotations

import pynvml
import pytest

from harness.instruments import InstrumentUnavailable
from harness.instruments.gpu_state import NO_THROTTLING, THROTTLE_REASONS, GpuState, throttle_names
from harness.instruments.nvml import NvmlDevice
from tests.instruments.recorded_nvml import Reading, RecordedNvml, Refusals
from tests.instruments.replaying import ReplayedTime

ONE = [Reading(0.0, 5_000, 250_000)]


def device(reasons: int = 0, refusals: Refusals | None = None) -> NvmlDevice:
    return NvmlDevice(RecordedNvml(ONE, refusals=refusals, reasons=lambda now_s: reasons))


def test_the_recorded_module_has_only_names_of_the_real_one() -> None:
    names = [name for name in dir(RecordedNvml) if name.lower().startswith("nvml")]
    assert [name for name in names if not hasattr(pynvml, name)] == []
    constants = [name for name in names if name.startswith("NVML_")]
    assert [name for name in constants if getattr(pynvml, name) != getattr(RecordedNvml, name)] == []


def test_the_bits_are_those_of_nvml() -> None:
    """Under the former prefix, which every version of nvidia-ml-py has."""
    prefix = "nvmlClocksThrottleReason"
    real = {getattr(pynvml, name): name.removeprefix(prefix) for name in dir(pynvml) if name.startswith(prefix)}
    ours = {**THROTTLE_REASONS, **NO_THROTTLING}
    assert {bit for bit, name in real.items() if name not in ("All", "None")} <= set(ours)
    for bit, name in THROTTLE_REASONS.items():
        assert bit not in real or name.replace("_", "") == real[bit].lower()


@pytest.mark.parametrize(
    ("reasons", "names"),
    [
        (0x0, ()),
        (0x1, ()),
        (0x2 | 0x100, ()),
        (0x4, ("sw_power_cap",)),
        (0x8 | 0x40, ("hw_slowdown", "hw_thermal_slowdown")),
        (0x1 | 0x20, ("sw_thermal_slowdown",)),
        (0x80, ("hw_power_brake_slowdown",)),
        (0x10000, ("unknown_0x10000",)),
    ],
)
def test_reasons_have_names_and_idling_is_no_throttling(reasons: int, names: tuple[str, ...]) -> None:
    assert throttle_names(reasons) == names
    state = device(reasons).state()
    assert state.throttled == names
    assert state.flags == (("throttled", *names) if names else ())


def test_the_device_tells_what_it_is_in_the_units_of_the_names() -> None:
    gpu = NvmlDevice(RecordedNvml(ONE, name=b"NVIDIA H100"))
    assert (gpu.name, gpu.driver, gpu.memory_bytes) == ("NVIDIA H100", "550.54.15", 80 * 2**30)
    assert (gpu.energy_j(), gpu.power_w()) == (5.0, 250.0)
    assert gpu.state() == GpuState(41.0, 1980.0, 2619.0, (), throttle_known=True)
    assert gpu.state().unavailable == ()


def test_a_driver_that_knows_only_the_former_name_is_asked_by_it() -> None:
    state = device(0x4, Refusals(event_reasons="Function Not Found")).state()
    assert state.throttled == ("sw_power_cap",)
    assert state.throttle_known


def test_what_is_refused_is_unknown_and_ends_nothing() -> None:
    """In MIG mode, or without permission."""
    state = device(0x4, Refusals(state="Insufficient Permissions")).state()
    assert state == GpuState()
    assert state.unavailable == ("temperature_c", "sm_clock_mhz", "memory_clock_mhz", "throttled")
    assert state.flags == ()


def test_two_readings_are_combined_to_the_worse() -> None:
    before = GpuState(60.0, 1980.0, 2619.0, ("sw_power_cap",), throttle_known=True)
    after = GpuState(71.0, 1400.0, None, ("hw_slowdown", "sw_power_cap"), throttle_known=True)
    worse = GpuState(71.0, 1400.0, 2619.0, ("sw_power_cap", "hw_slowdown"), throttle_known=True)
    assert before.combined(after) == worse
    assert GpuState().combined(before) == before
    assert before.combined(GpuState()) == before


@pytest.mark.parametrize("instant_power", ["", "Not Supported"])
def test_power_is_instant_where_the_driver_tells_it(instant_power: str) -> None:
    nvml = RecordedNvml(ONE, refusals=Refusals(instant_power=instant_power))
    asked: list[str] = []
    usage = nvml.nvmlDeviceGetPowerUsage

    def note(handle: int) -> int:
        asked.append("usage")
        return usage(handle)

    nvml.nvmlDeviceGetPowerUsage = note  # type: ignore[method-assign]
    gpu = NvmlDevice(nvml)
    assert (gpu.power_w(), gpu.power_w()) == (250.0, 250.0)
    assert bool(asked) is bool(instant_power)


@pytest.mark.parametrize("instant_power", ["", "Not Supported"])
def test_no_power_is_never_nought(instant_power: str) -> None:
    gpu = NvmlDevice(RecordedNvml([Reading(0.0, 5_000, 0)], refusals=Refusals(instant_power=instant_power)))
    with pytest.raises(InstrumentUnavailable, match="0 mW, which no running GPU draws"):
        gpu.power_w()


def test_the_source_of_power_does_not_change_once_chosen() -> None:
    """Present power and the mean of a second must not be mixed in one integral."""
    time = ReplayedTime()
    gpu = NvmlDevice(RecordedNvml([*ONE, Reading(1.0, 5_000, None), Reading(2.0, 5_000, 90_000)], time))
    assert gpu.power_w() == 250.0
    time.advance(1.5)
    with pytest.raises(InstrumentUnavailable, match="GPU is lost"):
        gpu.power_w()
    time.advance(1.0)
    assert gpu.power_w() == 90.0


def test_a_gpu_is_found_by_its_uuid() -> None:
    nvml = RecordedNvml(ONE)
    NvmlDevice(nvml, uuid="GPU-2f7c")
    assert nvml.uuids == ["GPU-2f7c"]


def test_no_driver_is_unavailable_with_the_reason_and_something_to_do() -> None:
    with pytest.raises(InstrumentUnavailable, match=r"Driver Not Loaded.*nvidia-smi"):
        NvmlDevice(RecordedNvml([]))


def test_only_a_gpu_in_mig_mode_is_partitioned() -> None:
    assert not device().is_partitioned
    assert device(refusals=Refusals(mig="")).is_partitioned
