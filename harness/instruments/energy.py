"""Energy per call from a sensor's own counter, over a window long enough for its update rate.

Idle power is measured before the window, and the sampled power, where the sensor has it, is integrated as a
cross-check. Where there is no sensor there is no figure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from harness.instruments import InstrumentUnavailable
from harness.instruments.nvml import open_gpu

IDLE_S = 0.5
POWER_SAMPLING_INTERVAL_S = 0.02
DISAGREEMENT = 0.10
_RAPL = Path("/sys/class/powercap/intel-rapl:0")


class EnergySensor(Protocol):
    """A counter of joules; ``power_w`` may raise :class:`InstrumentUnavailable`."""

    def energy_j(self) -> float: ...

    def power_w(self) -> float: ...


@dataclass(frozen=True)
class EnergyReading:
    """What one window gave.

    :param energy_j: joules per call, idle power included.
    :param idle_power_w: mean power before the window.
    :param window_s: length of the window.
    :param sampled_energy_j: joules per call from integrated power samples; NaN where power cannot be sampled.
    """

    energy_j: float
    iterations: int
    idle_power_w: float
    window_s: float
    sampled_energy_j: float

    @property
    def disagrees(self) -> bool:
        """Whether counter and sampled power differ by more than a tenth."""
        return bool(abs(self.sampled_energy_j - self.energy_j) > DISAGREEMENT * abs(self.energy_j))


class RaplSensor:
    """The package counter of an Intel or AMD CPU, as the kernel's powercap shows it."""

    def __init__(self, folder: Path = _RAPL) -> None:
        self._counter = folder / "energy_uj"
        if not folder.is_dir():
            raise InstrumentUnavailable("this CPU (or virtual machine) offers no RAPL energy counter")
        try:
            self._range_j = int((folder / "max_energy_range_uj").read_text()) / 1e6
            self._last_j = self._read_j()
        except PermissionError as error:
            raise InstrumentUnavailable(
                f"{self._counter} may not be read; as root: chmod a+r {self._counter}"
            ) from error
        self._wrapped_j = 0.0

    def _read_j(self) -> float:
        return int(self._counter.read_text()) / 1e6

    def energy_j(self) -> float:
        now_j = self._read_j()
        if now_j < self._last_j:
            self._wrapped_j += self._range_j
        self._last_j = now_j
        return now_j + self._wrapped_j

    def power_w(self) -> float:
        raise InstrumentUnavailable("RAPL counts energy only")


def open_sensor(device: str) -> EnergySensor:
    """The energy sensor of ``device``.

    :raises InstrumentUnavailable: there is none or it may not be read; the message says what to do.
    """
    return open_gpu() if device == "cuda" else RaplSensor()


def measure_energy(
    call: Callable[[], None],
    synchronise: Callable[[], None],
    sensor: EnergySensor,
    window_s: float,
    clock: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> EnergyReading:
    """Repeat ``call`` until ``window_s`` has passed and divide what the counter moved by the number of calls."""
    begin_s, begin_j = clock(), sensor.energy_j()
    sleep(IDLE_S)
    idle_power_w = (sensor.energy_j() - begin_j) / (clock() - begin_s)

    with _PowerSampler(sensor, clock) as sampler:
        begin_s, begin_j = clock(), sensor.energy_j()
        iterations = 0
        while clock() - begin_s < window_s:
            call()
            iterations += 1
        synchronise()
        elapsed_s, used_j = clock() - begin_s, sensor.energy_j() - begin_j
    return EnergyReading(
        energy_j=used_j / iterations,
        iterations=iterations,
        idle_power_w=idle_power_w,
        window_s=elapsed_s,
        sampled_energy_j=sampler.mean_power_w() * elapsed_s / iterations,
    )


class _PowerSampler:
    """Reads the power now and again in a thread while a window lasts."""

    def __init__(self, sensor: EnergySensor, clock: Callable[[], float]) -> None:
        self._sensor = sensor
        self._clock = clock
        self._times_s: list[float] = []
        self._powers_w: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _PowerSampler:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def mean_power_w(self) -> float:
        """Time-weighted mean by the trapezoidal rule; NaN without two samples."""
        if len(self._powers_w) < 2 or self._times_s[-1] <= self._times_s[0]:
            return float("nan")
        energy_j = float(np.trapezoid(self._powers_w, self._times_s))
        return energy_j / (self._times_s[-1] - self._times_s[0])

    def _watch(self) -> None:
        while not self._stop.wait(POWER_SAMPLING_INTERVAL_S):
            self._look()

    def _look(self) -> None:
        try:
            power_w = self._sensor.power_w()
        except InstrumentUnavailable:
            return
        self._times_s.append(self._clock())
        self._powers_w.append(power_w)
