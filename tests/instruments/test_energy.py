"""Energy against known truths: a recorded trace of known power gives that power back."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.instruments import InstrumentUnavailable
from harness.instruments.energy import EnergyReading, RaplSensor, measure_energy, open_sensor
from harness.instruments.nvml import NvmlDevice, gpu_count
from tests.instruments.recorded_nvml import RecordedNvml, steady_trace


def measure(nvml: RecordedNvml, window_s: float = 5.0) -> EnergyReading:
    def nothing() -> None:
        return None

    return measure_energy(nothing, nothing, NvmlDevice(nvml), window_s, clock=nvml.clock, sleep=nvml.sleep)


def test_a_steady_load_gives_its_power_back() -> None:
    """300 W for 5 s are 1500 J however many calls share them; the counter moves every 0.1 s, which bounds the error."""
    reading = measure(RecordedNvml(steady_trace(70.0, 300.0, 0.5, 20.0), step_s=0.01))
    assert reading.energy_j * reading.iterations == pytest.approx(300 * reading.window_s, rel=0.03)
    assert reading.window_s == pytest.approx(5.0, rel=0.02)
    assert reading.iterations > 100
    assert not reading.disagrees


def test_idle_power_is_measured_before_the_window() -> None:
    reading = measure(RecordedNvml(steady_trace(70.0, 300.0, 0.5, 20.0), step_s=0.001))
    assert reading.idle_power_w == pytest.approx(70.0, rel=0.25)


def test_counter_and_power_that_disagree_are_flagged() -> None:
    lying = [(seconds, energy_mj, 2 * power_mw) for seconds, energy_mj, power_mw in steady_trace(70, 300, 0.0, 20.0)]
    assert measure(RecordedNvml(lying, step_s=0.01)).disagrees


def test_the_device_tells_what_it_is_in_the_units_of_the_names() -> None:
    device = NvmlDevice(RecordedNvml([(0.0, 5_000, 250_000)], step_s=0.1, name=b"NVIDIA H100"))
    assert (device.name, device.driver, device.memory_bytes) == ("NVIDIA H100", "550.54.15", 80 * 2**30)
    assert (device.energy_j(), device.power_w()) == (5.0, 250.0)
    state = device.state()
    assert (state.temperature_c, state.sm_clock_mhz, state.throttle_reasons) == (41.0, 1980.0, 0)


def test_no_driver_is_unavailable_with_the_reason() -> None:
    with pytest.raises(InstrumentUnavailable, match="Driver Not Loaded"):
        NvmlDevice(RecordedNvml([], step_s=0.1))


@pytest.mark.skipif(gpu_count() > 0, reason="this machine has a GPU, so the sensor is there")
def test_without_a_gpu_there_is_no_figure_but_a_reason() -> None:
    with pytest.raises(InstrumentUnavailable, match="no NVIDIA GPU can be read"):
        open_sensor("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
def test_a_real_gpu_uses_more_than_nothing() -> None:
    sensor = open_sensor("cuda")
    before_j = sensor.energy_j()
    reading = measure_energy(lambda: None, lambda: None, sensor, 1.0)
    assert sensor.energy_j() > before_j
    assert 5.0 < reading.idle_power_w < 1500.0


def test_rapl_counts_on_through_its_wrap(tmp_path: Path) -> None:
    (tmp_path / "max_energy_range_uj").write_text("1000000000")
    counter = tmp_path / "energy_uj"
    counter.write_text("999000000")
    sensor = RaplSensor(tmp_path)
    before_j = sensor.energy_j()
    counter.write_text("1000000")
    assert sensor.energy_j() - before_j == pytest.approx(2.0)
    with pytest.raises(InstrumentUnavailable):
        sensor.power_w()


def test_without_rapl_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(InstrumentUnavailable, match="no RAPL energy counter"):
        RaplSensor(tmp_path / "absent")


def test_unsampled_power_never_counts_as_disagreement() -> None:
    assert not EnergyReading(1.0, 1, 1.0, 1.0, math.nan).disagrees
