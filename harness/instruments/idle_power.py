"""Before any load: how often a sensor is renewed, whether it counts energy or only tells power, and the idle power."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.instruments import InstrumentUnavailable
from harness.instruments.sensor_recorder import SensorRecorder

Clock = Callable[[], float]
Sleep = Callable[[float], None]

# Ten whole periods are looked at; where the sensor is slow, four must do.
MOVES_WANTED = 11
FEWEST_MOVES = 5
UPDATE_SEARCH_S = 3.0
IDLE_S = 0.5
IDLE_POLL_S = 0.05
IDLE_ATTEMPTS = 3


def await_updates(recorder: SensorRecorder, clock: Clock, sleep: Sleep, poll_s: float) -> bool:
    """Poll until the sensor has been renewed several times; whether it counts energy (or else tells its power).

    :raises InstrumentUnavailable: it does neither.
    """
    counter, power = recorder.energy_j, recorder.power_w
    end_s = clock() + UPDATE_SEARCH_S
    while clock() < end_s and counter.moves < MOVES_WANTED and (counter.readings or power.moves < MOVES_WANTED):
        recorder.poll()
        sleep(poll_s)
    if counter.moves >= FEWEST_MOVES:
        return True
    if power.readings:
        return False
    counted = counter.failure or f"the energy counter moved {counter.moves} times in {UPDATE_SEARCH_S:g} s"
    raise InstrumentUnavailable(f"{counted}, and {power.failure or 'power was not read'}")


def measure_idle_power(
    recorder: SensorRecorder, from_counter: bool, clock: Clock, sleep: Sleep, poll_s: float
) -> float:
    """Mean power in watts while nothing is run, over whole updates of the counter.

    What has been recorded before counts too, since nothing was run then either.

    :raises InstrumentUnavailable: the counter stands still, or jumped at every attempt.
    """
    counter = recorder.energy_j
    begin_s = counter.first_move_s if from_counter else recorder.power_w.first_reading_s
    for _ in range(IDLE_ATTEMPTS):
        end_s = clock() + IDLE_S
        while clock() < end_s:
            sleep(IDLE_POLL_S)
            recorder.poll()
        if not from_counter:
            return recorder.power_w.mean(begin_s, recorder.power_w.last_reading_s, math.inf)
        _await_next_update(recorder, clock, sleep, poll_s)
        counted = counter.counted_power(begin_s, counter.last_move_s)
        if counted is not None:
            return counted.power_w
        begin_s = counter.last_move_s
    raise InstrumentUnavailable(f"the energy counter of the idle device jumped in each of {IDLE_ATTEMPTS} attempts")


def _await_next_update(recorder: SensorRecorder, clock: Clock, sleep: Sleep, poll_s: float) -> None:
    counter = recorder.energy_j
    moves, end_s = counter.moves, clock() + UPDATE_SEARCH_S
    while counter.moves == moves:
        if clock() > end_s:
            raise InstrumentUnavailable(silence(recorder, True, UPDATE_SEARCH_S))
        sleep(poll_s)
        recorder.poll()


def find_update_period_s(recorder: SensorRecorder, from_counter: bool) -> float:
    """Time between two updates, from what has been recorded.

    :raises InstrumentUnavailable: there are too few updates to tell.
    """
    trace = recorder.energy_j if from_counter else recorder.power_w
    if trace.moves < FEWEST_MOVES:
        raise InstrumentUnavailable(
            f"{sensor_name(from_counter)} took only {trace.moves} new values, so its update rate is unknown and no "
            f"window long enough can be chosen: {trace.failure or 'it may stand still'}"
        )
    return trace.update_period_s()


def sensor_name(from_counter: bool) -> str:
    return "the energy counter" if from_counter else "the power reading"


def silence(recorder: SensorRecorder, from_counter: bool, silent_s: float) -> str:
    """The reason to give when nothing new has come for ``silent_s``."""
    trace = recorder.energy_j if from_counter else recorder.power_w
    return (
        f"{sensor_name(from_counter)} stopped in the middle: nothing new for {silent_s:.2g} s; "
        f"{trace.failure or 'it answers, but always the same'}"
    )
