"""The arithmetic on a sensor's readings, on readings written down by hand."""

from __future__ import annotations

import math
import threading

import pytest

from harness.instruments.sensor_recorder import in_thread
from harness.instruments.sensor_trace import CountedPower, SensorTrace


def trace_of(*readings: tuple[float, float]) -> SensorTrace:
    trace = SensorTrace()
    for time_s, value in readings:
        trace.add(time_s, value)
    return trace


# Looked at every quarter of a second, renewed every half, 10 J each.
COUNTER = trace_of(*((index / 4, 100.0 + 10.0 * (index // 2)) for index in range(20)))


def test_a_new_value_is_an_update_and_the_first_reading_is_none() -> None:
    assert (COUNTER.readings, COUNTER.moves) == (20, 9)
    assert (COUNTER.first_move_s, COUNTER.last_move_s, COUNTER.last_reading_s) == (0.5, 4.5, 4.75)
    assert COUNTER.update_period_s() == 0.5


def test_power_is_between_the_last_updates_before_either_end() -> None:
    """From 1.0 s (120 J) to 3.0 s (160 J)."""
    assert COUNTER.counted_power(1.3, 3.4) == CountedPower(power_w=20.0, span_s=2.0, misalignment_s=0.25)


@pytest.mark.parametrize(("begin_s", "end_s"), [(0.3, 2.0), (1.1, 1.4), (9.0, 9.5)])
def test_without_two_updates_there_is_no_power(begin_s: float, end_s: float) -> None:
    assert COUNTER.counted_power(begin_s, end_s) is None


@pytest.mark.parametrize("value", [0.0, 119.9, 1e5])
def test_over_a_jump_there_is_no_power_and_beside_it_there_is(value: float) -> None:
    readings = [(index / 4, 100.0 + 10.0 * (index // 2)) for index in range(10)]
    readings += [(2.5 + index / 4, value + 10.0 * (index // 2)) for index in range(10)]
    counter = trace_of(*readings)
    assert counter.counted_power(1.0, 4.0) is None
    assert counter.counted_power(0.6, 2.2) is not None
    assert counter.counted_power(2.6, 4.6) == CountedPower(20.0, 2.0, 0.25)


def test_a_burst_after_a_late_look_is_no_jump() -> None:
    """700 W, not looked at for 5 s, and then twice within a millisecond around an update of 70 J."""
    counter = trace_of((0.0, 0.0), (0.1, 70.0), (5.1999, 3570.0), (5.2001, 3640.0), (5.3, 3710.0))
    assert counter.counted_power(0.1, 5.3) == CountedPower(pytest.approx(700.0), pytest.approx(5.2), pytest.approx(0.1))


def test_a_mean_is_weighted_by_time() -> None:
    """2 s from 100 to 200 W and 1 s at 200 W."""
    power = trace_of((0.0, 100.0), (2.0, 200.0), (3.0, 200.0))
    assert power.mean(0.0, 3.0, math.inf) == pytest.approx(500.0 / 3)


def test_too_few_readings_or_a_hole_give_no_mean() -> None:
    power = trace_of((0.0, 100.0), (1.0, 200.0), (3.0, 200.0))
    assert math.isnan(power.mean(0.0, 3.0, 1.5))
    assert math.isnan(power.mean(0.5, 1.5, math.inf))
    assert math.isnan(power.mean(0.0, 5.0, 1.9)), "the hole after the last reading counts"
    assert power.mean(1.0, 5.0, 2.5) == 200.0
    assert math.isnan(SensorTrace().update_period_s())


def test_the_latest_failure_is_forgotten_at_the_next_success() -> None:
    trace = SensorTrace()
    trace.failure = "Timeout"
    trace.add(1.0, 2.0)
    assert trace.failure == ""


def test_a_thread_polls_while_the_context_lasts_and_no_longer() -> None:
    polls: list[int] = []
    often_enough = threading.Event()

    def poll() -> None:
        polls.append(threading.get_ident())
        if len(polls) == 3:
            often_enough.set()

    with in_thread(poll, 0.001):
        assert often_enough.wait(timeout=60)
    assert threading.get_ident() not in polls
    assert not any(thread.ident in polls for thread in threading.enumerate())
