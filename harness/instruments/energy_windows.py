"""The windows of an energy measurement and the load under which they are taken."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.instruments import InstrumentUnavailable
from harness.instruments.gpu_state import GpuState
from harness.instruments.idle_power import sensor_name, silence
from harness.instruments.sensor_recorder import SensorRecorder

Clock = Callable[[], float]

# Half the shortest window: readings that are missing now and then leave no such hole, a dead sensor does.
SILENT_PERIODS = 10
# A counter and samples of power that are each right within 5 % (NVML API reference) differ by no more.
DISAGREEMENT = 0.10
MISALIGNMENT_LIMIT = 0.01


@dataclass(frozen=True)
class EnergyWindow:
    """One window.

    :param energy_j: joules per call, idle power included.
    :param sampled_energy_j: joules per call from sampled power; not a number where power was not sampled throughout.
    :param duration_s: length of the window.
    :param begin_s: when it began, by the measurement's clock.
    :param misalignment: by what share the counter's updates may miss the window's length.
    :param state: the worst state of the GPU seen within; all unknown on another device.
    """

    energy_j: float
    sampled_energy_j: float
    iterations: int
    duration_s: float
    misalignment: float = 0.0
    state: GpuState = field(default_factory=GpuState)
    begin_s: float = 0.0

    @property
    def call_s(self) -> float:
        return self.duration_s / self.iterations

    @property
    def flags(self) -> tuple[str, ...]:
        difference_j = abs(self.sampled_energy_j - self.energy_j)
        noticed = {
            "counter_and_power_disagree": difference_j > DISAGREEMENT * self.energy_j,
            "counter_too_coarse": self.misalignment > MISALIGNMENT_LIMIT,
        }
        return (*self.state.flags, *(flag for flag, present in noticed.items() if present))


class Load:
    """The call, repeated without a pause in batches that are waited for.

    :param batch_s: about how long a batch lasts; a longer call is a batch of its own.
    """

    def __init__(self, call: Callable[[], None], synchronise: Callable[[], None], clock: Clock, batch_s: float) -> None:
        self._call = call
        self._synchronise = synchronise
        self._clock = clock
        self._batch_s = batch_s
        self._batch = 1

    def settle(self, seconds: float) -> None:
        """Run for at least ``seconds``, and find how many calls make a batch."""
        begin_s = now_s = self._clock()
        while now_s - begin_s < seconds:
            batch_begin_s = now_s
            now_s = self._run_batch()
            if now_s - batch_begin_s < self._batch_s / 2:
                self._batch *= 2

    def run_until(self, end_s: float, after_batch: Callable[[float], None]) -> int:
        """Run to the end of the batch in which ``end_s`` passes; how many calls that were."""
        iterations = 0
        while True:
            now_s = self._run_batch()
            iterations += self._batch
            after_batch(now_s)
            if now_s >= end_s:
                return iterations

    def _run_batch(self) -> float:
        for _ in range(self._batch):
            self._call()
        self._synchronise()
        return self._clock()


class WindowMeter:
    """Takes windows under a load that has settled, while something polls the recorder.

    :param update_period_s: time between two updates of the sensor.
    """

    def __init__(
        self, recorder: SensorRecorder, from_counter: bool, update_period_s: float, load: Load, clock: Clock
    ) -> None:
        self._recorder = recorder
        self._from_counter = from_counter
        self._update_period_s = update_period_s
        self._silent_s = SILENT_PERIODS * update_period_s
        self._load = load
        self._clock = clock

    def take(self, count: int, length_s: float) -> tuple[list[EnergyWindow], int]:
        """``count`` windows of at least ``length_s``, and how many more gave no figure.

        Fewer where single calls are so long that twice the time of all windows has passed.

        :raises InstrumentUnavailable: the sensor fell silent, or no window gave a figure.
        """
        windows: list[EnergyWindow] = []
        attempts = 0
        self._recorder.poll()
        begin_s = self._clock()
        last_s = begin_s + 2 * count * length_s
        while len(windows) < count and attempts < 2 * count and (begin_s < last_s or not windows):
            attempts += 1
            iterations = self._load.run_until(begin_s + length_s, self._demand_signs_of_life)
            self._recorder.poll()
            end_s = self._clock()
            window = self._window(begin_s, end_s, iterations)
            if window is not None:
                windows.append(window)
            begin_s = end_s
        if not windows:
            raise InstrumentUnavailable(
                f"{sensor_name(self._from_counter)} jumped, or was missing for longer than {SILENT_PERIODS} update "
                f"periods, in each of {attempts} windows of {length_s:g} s"
            )
        return windows, attempts - len(windows)

    def _window(self, begin_s: float, end_s: float, iterations: int) -> EnergyWindow | None:
        duration_s = end_s - begin_s
        sampled_w = self._recorder.power_w.mean(begin_s, end_s, self._silent_s)
        state = self._recorder.state(begin_s, end_s)
        if not self._from_counter:
            if math.isnan(sampled_w):
                return None
            return EnergyWindow(
                sampled_w * duration_s / iterations, math.nan, iterations, duration_s, state=state, begin_s=begin_s
            )
        counted = self._recorder.energy_j.counted_power(begin_s, end_s)
        if counted is None:
            return None
        return EnergyWindow(
            energy_j=counted.power_w * duration_s / iterations,
            sampled_energy_j=sampled_w * duration_s / iterations,
            iterations=iterations,
            duration_s=duration_s,
            # A counter that has moved is at most one period old, however long nobody looked.
            misalignment=min(counted.misalignment_s, self._update_period_s) / counted.span_s,
            state=state,
            begin_s=begin_s,
        )

    def _demand_signs_of_life(self, now_s: float) -> None:
        """End a measurement whose sensor has died; a last look, since a call may have held up the polling."""
        if now_s - self._last_sign_s() > self._silent_s:
            self._recorder.poll()
            if now_s - self._last_sign_s() > self._silent_s:
                raise InstrumentUnavailable(silence(self._recorder, self._from_counter, self._silent_s))

    def _last_sign_s(self) -> float:
        if self._from_counter:
            return self._recorder.energy_j.last_move_s
        return self._recorder.power_w.last_reading_s
