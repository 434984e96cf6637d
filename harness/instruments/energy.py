"""Energy per call from a sensor's own counter, over windows long enough for the counter's update rate.

The order of a measurement: rest; see how often the counter is renewed; power of the idle device; run the call until the
device has settled; then windows one after another, the call repeated without a pause. What a window used is the mean
power between two updates of the counter times its own length, so that it does not matter where in an update its ends
fall. Sampled power is integrated beside it as a cross-check. Where there is no sensor there is no figure.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from harness.instruments import InstrumentUnavailable
from harness.instruments.energy_windows import EnergyWindow, Load, WindowMeter
from harness.instruments.gpu_state import GpuState
from harness.instruments.idle_power import await_updates, find_update_period_s, measure_idle_power
from harness.instruments.nvml import open_gpu
from harness.instruments.rapl import RaplSensor
from harness.instruments.sensor_recorder import EnergySensor, SensorRecorder, in_thread

# OpenMP runtimes keep their threads spinning after a parallel region, LLVM's for 0.2 s by default (KMP_BLOCKTIME).
REST_S = 0.5
# The power that NVML tells may be the mean of the last second (NVML API reference, nvmlDeviceGetPowerUsage).
SETTLE_S = 1.0
# Six is the fewest samples whose smallest and largest enclose the median with 95 %: 1 - 2 / 2^6 = 96.9 %.
WINDOWS = 6
# Ends that miss every update are then off by a twentieth at most, the sensor's own accuracy (5 %, NVML API reference);
# ends that are aligned by polling 200 times in a window are off by half a percent.
PERIODS_PER_WINDOW = 20
POLLS_PER_WINDOW = 200
FINEST_POLL_S = 0.001


@dataclass(frozen=True)
class EnergyReading:
    """What the windows gave.

    :param idle_power_w: mean power of the device before the call was run, with its context open.
    :param update_period_s: median time between two updates of the sensor, as measured.
    :param from_counter: whether the sensor counts energy; otherwise its power was sampled and integrated.
    :param left_out: windows that gave no figure, because the counter jumped or readings were missing for too long.
    """

    windows: tuple[EnergyWindow, ...]
    idle_power_w: float
    update_period_s: float
    from_counter: bool
    left_out: int = 0

    @property
    def energy_j(self) -> float:
        """Joules per call, idle power included: the median of the windows."""
        return statistics.median(window.energy_j for window in self.windows)

    @property
    def sampled_energy_j(self) -> float:
        """Joules per call from sampled power; not a number where it could not be sampled in any window."""
        sampled = [window.sampled_energy_j for window in self.windows if not math.isnan(window.sampled_energy_j)]
        return statistics.median(sampled) if sampled else math.nan

    @property
    def net_energy_j(self) -> float:
        """Joules per call beyond what the idle device would have used in the same time."""
        return statistics.median(window.energy_j - self.idle_power_w * window.call_s for window in self.windows)

    @property
    def flags(self) -> tuple[str, ...]:
        """What was noticed about all windows; what concerns one is among its own flags."""
        noticed = {
            "energy_from_sampled_power": not self.from_counter,
            "no_sampled_power": self.from_counter and math.isnan(self.sampled_energy_j),
            "windows_left_out": self.left_out > 0,
            "fewer_windows": len(self.windows) < WINDOWS,
        }
        return tuple(flag for flag, present in noticed.items() if present)

    @property
    def calibration(self) -> Mapping[str, float]:
        """For the record: what was measured beside the joules; what could not be is left out."""
        state = GpuState()
        for window in self.windows:
            state = state.combined(window.state)
        values = {
            "idle_power_w": self.idle_power_w,
            "update_period_s": self.update_period_s,
            "window_s": statistics.median(window.duration_s for window in self.windows),
            "misalignment": max(window.misalignment for window in self.windows),
            "net_energy_j": self.net_energy_j,
            "sampled_energy_j": self.sampled_energy_j,
            "temperature_c": state.temperature_c,
            "sm_clock_mhz": state.sm_clock_mhz,
        }
        return {name: value for name, value in values.items() if value is not None and not math.isnan(value)}


def open_sensor(device: str, gpu_uuid: str = "") -> EnergySensor:
    """The energy sensor of ``device``, which has been read once.

    :param gpu_uuid: which GPU, as NVML names it; the first of NVML's order without.
    :raises InstrumentUnavailable: there is none or it may not be read; the message says what to do.
    """
    if device != "cuda":
        return RaplSensor()
    gpu = open_gpu(uuid=gpu_uuid)
    if gpu.is_partitioned:
        raise InstrumentUnavailable(
            f"{gpu.name} is partitioned (MIG) and counts the energy of all its instances together; "
            "as root: nvidia-smi --multi-instance-gpu 0"
        )
    try:
        gpu.energy_j()
    except InstrumentUnavailable as no_counter:
        try:
            gpu.power_w()
        except InstrumentUnavailable as no_power:
            raise InstrumentUnavailable(f"{gpu.name}: {no_counter}; {no_power}") from no_power
    return gpu


def measure_energy(
    call: Callable[[], None],
    synchronise: Callable[[], None],
    sensor: EnergySensor,
    window_s: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
    background: Callable[[Callable[[], None], float], AbstractContextManager[None]] = in_thread,
    read_state: Callable[[], GpuState] | None = None,
) -> EnergyReading:
    """Repeat ``call`` through several windows and divide what each used by its number of calls.

    :param synchronise: waits until the device has done all calls.
    :param window_s: the least length of a window; it is longer where the sensor is renewed slowly.
    :param clock: monotonic, in seconds; with ``sleep`` and ``background`` it can be a recorded one.
    :param background: calls a function at an interval in seconds while its context lasts.
    :param read_state: reads clocks, temperature and throttling of a GPU.
    :raises InstrumentUnavailable: the sensor cannot be read, stands still, or fails on the way; the message says which.
    """
    poll_s = max(window_s / POLLS_PER_WINDOW, FINEST_POLL_S)
    recorder = SensorRecorder(sensor, clock, read_state)
    sleep(REST_S)
    from_counter = await_updates(recorder, clock, sleep, FINEST_POLL_S)
    update_period_s = find_update_period_s(recorder, from_counter) if from_counter else math.nan
    idle_power_w = measure_idle_power(recorder, from_counter, clock, sleep, FINEST_POLL_S)
    load = Load(call, synchronise, clock, batch_s=poll_s)
    with background(recorder.poll, poll_s):
        load.settle(SETTLE_S)
        if not from_counter:  # the power of an idle device may hardly change, that of a busy one does
            update_period_s = find_update_period_s(recorder, from_counter)
        meter = WindowMeter(recorder, from_counter, update_period_s, load, clock)
        windows, left_out = meter.take(WINDOWS, max(window_s, PERIODS_PER_WINDOW * update_period_s))
    return EnergyReading(tuple(windows), idle_power_w, update_period_s, from_counter, left_out)
