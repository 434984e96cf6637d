"""Polling an energy sensor while something else runs, and keeping what it showed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from harness.instruments import InstrumentUnavailable
from harness.instruments.gpu_state import GpuState
from harness.instruments.sensor_trace import SensorTrace

# Clocks and temperature follow the power management, which acts in tens of milliseconds; NVML answers four calls.
STATE_INTERVAL_S = 0.1


class EnergySensor(Protocol):
    """A counter of joules; either method may raise :class:`InstrumentUnavailable`, now and then or always."""

    def energy_j(self) -> float: ...

    def power_w(self) -> float: ...


class SensorRecorder:
    """Two traces of a sensor, and the GPU's states beside them. May be polled from several threads.

    :param read_state: reads the state of a GPU; ``None`` for a device that has none.
    """

    def __init__(
        self, sensor: EnergySensor, clock: Callable[[], float], read_state: Callable[[], GpuState] | None = None
    ) -> None:
        self.energy_j = SensorTrace()
        self.power_w = SensorTrace()
        self._sensor = sensor
        self._clock = clock
        self._read_state = read_state
        self._states: list[tuple[float, GpuState]] = []
        self._lock = threading.Lock()

    def poll(self) -> None:
        """Take a reading of everything; what cannot be read this time is left out, and its reason kept."""
        with self._lock:
            self._add(self.energy_j, self._sensor.energy_j)
            self._add(self.power_w, self._sensor.power_w)
            now_s = self._clock()
            if self._read_state and (not self._states or now_s - self._states[-1][0] >= STATE_INTERVAL_S):
                self._states.append((now_s, self._read_state()))

    def state(self, begin_s: float, end_s: float) -> GpuState:
        """The worst of the states seen between two moments; all unknown if there were none."""
        combined = GpuState()
        for time_s, state in self._states:
            if begin_s <= time_s <= end_s:
                combined = combined.combined(state)
        return combined

    def _add(self, trace: SensorTrace, read: Callable[[], float]) -> None:
        time_s = self._clock()
        try:
            value = read()
        except InstrumentUnavailable as error:
            trace.failure = str(error)
        else:
            trace.add(time_s, value)


@contextmanager
def in_thread(poll: Callable[[], None], interval_s: float) -> Iterator[None]:
    """Call ``poll`` every ``interval_s`` in a thread for as long as the context lasts."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(interval_s):
            poll()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
