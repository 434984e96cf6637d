"""Energy against known truths: recorded traces of known power give the joules computed by hand, or the reason.

The tolerances are argued from the update rate: the ends of a window are known to within one poll in 200 of a window.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.instruments import InstrumentUnavailable
from harness.instruments.energy import EnergyReading, measure_energy, open_sensor
from harness.instruments.nvml import NvmlDevice, gpu_count
from tests.instruments.recorded_nvml import (
    Reading,
    RecordedNvml,
    Refusals,
    from_then_on,
    frozen,
    record_power,
    started_again,
    steady,
)
from tests.instruments.replaying import ReplayedTime, every

ALIGNED = 1 / 200
"""One poll of a window's 200: what aligned ends can be off by."""

IN_THE_WINDOWS_S = 6.03


def busy_from_s(period_s: float) -> float:
    """When a device that is renewed every ``period_s`` begins to draw the load's power.

    By then the rest, eleven updates and the idle time are over and the call is running, but has not settled.
    """
    return 1.05 + 13 * period_s


def loaded(period_s: float, seconds: float = 60.0) -> list[Reading]:
    """70 W, and 300 W under the load."""
    return record_power(steady(70.0, 300.0, busy_from_s(period_s)), seconds, period_s)


def nothing() -> None:
    return None


def measure(
    trace: Sequence[Reading], call_s: float = 0.007, window_s: float = 1.0, polled: bool = True, **gpu: Any
) -> EnergyReading:
    time = ReplayedTime()
    device = NvmlDevice(RecordedNvml(trace, time, **gpu))
    return measure_energy(
        lambda: time.advance(call_s),
        nothing,
        device,
        window_s,
        clock=time.clock,
        sleep=time.advance,
        background=time.background if polled else time.nothing_in_the_background,
        read_state=device.state,
    )


STEADY = loaded(0.1)


@pytest.mark.parametrize("period_s", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("call_s", [0.0003, 0.007, 0.37, 1.3])
def test_a_steady_load_gives_its_power_back(period_s: float, call_s: float) -> None:
    """300 W for the time of a call, however short or long that is against the updates and the windows."""
    reading = measure(loaded(period_s), call_s)
    assert [window.energy_j for window in reading.windows] == pytest.approx([300 * call_s] * 6, rel=ALIGNED)
    assert reading.energy_j == pytest.approx(300 * call_s, rel=ALIGNED)
    assert reading.net_energy_j == pytest.approx(230 * call_s, rel=2 * ALIGNED)
    assert reading.flags == ()
    assert {flag for window in reading.windows for flag in window.flags} == set()


@pytest.mark.parametrize("period_s", [0.02, 0.05, 0.1])
def test_the_update_period_is_measured_and_a_window_holds_twenty(period_s: float) -> None:
    """Seen by polling every millisecond, so to a millisecond."""
    reading = measure(loaded(period_s), window_s=0.1)
    assert reading.update_period_s == pytest.approx(period_s, abs=0.001)
    assert all(window.duration_s >= 20 * reading.update_period_s for window in reading.windows)
    assert reading.calibration["window_s"] == pytest.approx(20 * period_s, rel=0.1)
    assert reading.calibration["misalignment"] < 0.01


def test_a_window_is_as_long_as_asked_where_the_counter_is_fast() -> None:
    reading = measure(loaded(0.02), window_s=1.5)
    assert all(1.5 <= window.duration_s < 1.6 for window in reading.windows)


@pytest.mark.parametrize("period_s", [0.02, 0.037, 0.073, 0.1])
def test_idle_power_is_of_whole_updates_before_the_load(period_s: float) -> None:
    """Ten periods and half a second, whose ends are each seen to a millisecond."""
    reading = measure(loaded(period_s))
    assert reading.idle_power_w == pytest.approx(70.0, rel=0.002 / (10 * period_s + 0.5))


def test_sampled_power_agrees_and_is_stored_beside_the_counter() -> None:
    reading = measure(STEADY)
    assert reading.sampled_energy_j == pytest.approx(2.1, rel=ALIGNED)
    assert reading.calibration["sampled_energy_j"] == reading.sampled_energy_j
    assert reading.calibration["temperature_c"] == 41.0
    assert reading.calibration["sm_clock_mhz"] == 1980.0


@pytest.mark.parametrize(("factor", "flagged"), [(2.0, True), (1.15, True), (1.05, False), (0.85, True)])
def test_counter_and_power_that_disagree_by_a_tenth_are_flagged(factor: float, flagged: bool) -> None:
    lying = [Reading(one.time_s, one.energy_mj, round((one.power_mw or 0) * factor)) for one in STEADY]
    reading = measure(lying)
    assert reading.energy_j == pytest.approx(2.1, rel=ALIGNED)
    assert all(("counter_and_power_disagree" in window.flags) is flagged for window in reading.windows)


def test_a_call_whose_power_varies_gives_its_own_joules() -> None:
    """0.3 s at 100 W and 0.3 s at 500 W are 180 J.

    Both ends of a window fall at most one update into a call, where the power is off its mean by 200 W: 0.05 s times
    200 W in a window of 360 J.
    """

    def power_w(now_s: float) -> float:
        return 500.0 if (now_s % 0.6) < 0.3 else 100.0

    reading = measure(record_power(power_w, 60.0, 0.05), call_s=0.6)
    assert reading.energy_j == pytest.approx(180.0, rel=0.05 * 200 / 360)


def test_drift_over_the_windows_shows_as_their_scatter() -> None:
    """Power that climbs by 10 W a second climbs by as much from window to window of two seconds."""
    reading = measure(record_power(lambda now_s: 200.0 + 10.0 * now_s, 60.0), call_s=0.01)
    powers_w = [window.energy_j / 0.01 for window in reading.windows]
    steps_w = [after - before for before, after in pairwise(powers_w)]
    assert steps_w == pytest.approx([20.0] * 5, rel=0.1)


def test_a_counter_that_starts_again_costs_one_window_and_no_joule() -> None:
    """A driver that is loaded anew counts from 0, as does a counter at the end of an unknown range."""
    reading = measure(started_again(STEADY, IN_THE_WINDOWS_S))
    assert [window.energy_j for window in reading.windows] == pytest.approx([2.1] * 6, rel=ALIGNED)
    assert reading.left_out == 1
    assert "windows_left_out" in reading.flags


def test_a_counter_that_starts_again_while_idle_does_not_bend_the_idle_power() -> None:
    """It is measured again after the jump: two ends seen to a millisecond in half a second."""
    idle_for_longer = record_power(steady(70.0, 300.0, busy_from_s(0.1) + 0.6), 60.0)
    assert measure(started_again(idle_for_longer, 1.05)).idle_power_w == pytest.approx(70.0, rel=0.004)


def test_a_counter_that_keeps_starting_again_is_no_counter() -> None:
    restless = STEADY
    for at_s in range(4, 60):
        restless = started_again(restless, at_s + 0.05)
    with pytest.raises(InstrumentUnavailable, match=r"jumped, .* in each of 12 windows"):
        measure(restless)


@pytest.mark.parametrize("count", [2, 3, 7, 50])
def test_readings_that_are_missing_now_and_then_cost_nothing(count: int) -> None:
    """The counter goes on meanwhile; an end that falls on a missing reading is known to two polls instead of one.

    Energy and power are asked in turn, so that with every second reading missing there is no power at all.
    """
    reading = measure(STEADY, fails=every(count))
    assert [window.energy_j for window in reading.windows] == pytest.approx([2.1] * 6, rel=2 * ALIGNED)
    assert reading.left_out == 0


@settings(max_examples=30)
@given(share=st.floats(0.0, 0.6), seed=st.integers(0, 2**32))
def test_readings_that_are_missing_at_random_widen_the_misalignment_that_is_told(share: float, seed: int) -> None:
    """The counter shows whole millijoules, which is nothing in 600 J."""
    rng = random.Random(seed)
    reading = measure(STEADY, fails=lambda: rng.random() < share)
    for window in reading.windows:
        assert abs(window.energy_j / 2.1 - 1) <= window.misalignment + 1e-4


def test_a_sensor_that_dies_in_the_middle_is_unavailable_with_its_last_words() -> None:
    with pytest.raises(InstrumentUnavailable, match=r"energy counter stopped in the middle.*GPU is lost"):
        measure(from_then_on(STEADY, IN_THE_WINDOWS_S, energy_mj=None, power_mw=None))


def test_a_sensor_that_stands_still_in_the_middle_is_unavailable() -> None:
    with pytest.raises(InstrumentUnavailable, match=r"energy counter stopped in the middle.*always the same"):
        measure(frozen(STEADY, IN_THE_WINDOWS_S))


def test_a_sensor_that_dies_while_idle_is_unavailable() -> None:
    with pytest.raises(InstrumentUnavailable, match=r"stopped in the middle.*GPU is lost"):
        measure(from_then_on(STEADY, 1.75, energy_mj=None, power_mw=None))


def test_calls_go_on_no_longer_than_it_takes_to_see_that_the_sensor_is_dead() -> None:
    """Ten update periods after its last sign of life, and the call that was running."""
    time, called_s = ReplayedTime(), []
    dead = from_then_on(STEADY, IN_THE_WINDOWS_S, energy_mj=None)

    def call() -> None:
        time.advance(0.007)
        called_s.append(time.now_s)

    device = NvmlDevice(RecordedNvml(dead, time))
    with pytest.raises(InstrumentUnavailable):
        measure_energy(call, nothing, device, 1.0, time.clock, time.advance, time.background)
    assert called_s[-1] < IN_THE_WINDOWS_S + 10 * 0.101 + 0.02


def test_power_that_dies_leaves_the_counter_without_a_cross_check() -> None:
    reading = measure(from_then_on(STEADY, 2.0, power_mw=None))
    assert reading.energy_j == pytest.approx(2.1, rel=ALIGNED)
    assert math.isnan(reading.sampled_energy_j)
    assert "sampled_energy_j" not in reading.calibration
    assert reading.flags == ("no_sampled_power",)


def flickering(now_s: float) -> float:
    """A power that every update shows anew, as a sensor's last digits do; its mean is 300 W, or 70 W when idle."""
    base_w = 300.0 if now_s >= busy_from_s(0.1) else 70.0
    return base_w + (1.0 if round(now_s * 100) % 10 == 0 and round(now_s * 10) % 2 else -1.0)


POWER_ONLY = [Reading(one.time_s, None, one.power_mw) for one in record_power(flickering, 60.0)]


def test_without_a_counter_sampled_power_is_integrated_and_said_so() -> None:
    reading = measure(POWER_ONLY)
    assert reading.energy_j == pytest.approx(2.1, rel=0.005)
    assert reading.idle_power_w == pytest.approx(70.0, rel=0.02)
    assert reading.update_period_s == pytest.approx(0.1, abs=0.005)
    assert not reading.from_counter
    assert reading.flags == ("energy_from_sampled_power",)


def test_a_counter_that_never_moves_is_not_trusted_over_power() -> None:
    assert measure([replace(one, energy_mj=0) for one in POWER_ONLY]).energy_j == pytest.approx(2.1, rel=0.005)


def test_a_hole_in_sampled_power_is_bridged_up_to_ten_periods() -> None:
    """The power is the same on both sides of it."""
    holed = [replace(one, power_mw=None) if 8.0 <= one.time_s < 8.9 else one for one in POWER_ONLY]
    assert measure(holed).energy_j == pytest.approx(2.1, rel=0.005)


def test_a_longer_hole_in_sampled_power_is_a_sensor_that_died() -> None:
    holed = [replace(one, power_mw=None) if 8.0 <= one.time_s < 9.5 else one for one in POWER_ONLY]
    with pytest.raises(InstrumentUnavailable, match=r"power reading stopped in the middle.*GPU is lost"):
        measure(holed)


def test_power_that_could_not_be_sampled_during_long_calls_is_not_integrated() -> None:
    """Looked at between calls of 1.1 s only, which is more than ten update periods."""
    with pytest.raises(InstrumentUnavailable, match=r"power reading took only|missing for longer than 10"):
        measure(POWER_ONLY, call_s=1.1, polled=False)


def test_a_power_reading_that_never_changes_has_no_known_rate() -> None:
    trace = [Reading(one.time_s, None, 250_000) for one in STEADY]
    with pytest.raises(InstrumentUnavailable, match="power reading took only 0 new values"):
        measure(trace)


def test_with_neither_counter_nor_power_both_reasons_are_given() -> None:
    trace = [Reading(one.time_s, None, None) for one in STEADY]
    with pytest.raises(InstrumentUnavailable, match=r"total-energy counter.*GPU is lost, and .*power.*GPU is lost"):
        measure(trace)


@pytest.mark.parametrize("call_s", [0.9, 1.1])
def test_long_calls_that_hold_up_the_polling_are_measured_less_sharply_and_flagged(call_s: float) -> None:
    """Looked at between calls only, the counter may be a whole update old at either end: 0.1 s in 2.2 or 2.7 s."""
    reading = measure(STEADY, call_s, polled=False)
    for window in reading.windows:
        assert window.misalignment == pytest.approx(0.1 / window.duration_s, rel=0.05)
        assert window.energy_j == pytest.approx(300.0 * call_s, rel=window.misalignment)
        assert "counter_too_coarse" in window.flags


def test_very_long_calls_get_fewer_windows_and_say_so() -> None:
    """Twice the time of all windows (24 s) is over after two calls of 20 s."""
    reading = measure(loaded(0.1, 200.0), call_s=20.0)
    assert [window.iterations for window in reading.windows] == [1, 1]
    assert reading.energy_j == pytest.approx(6000.0, rel=ALIGNED)
    assert "fewer_windows" in reading.flags


def test_only_the_windows_in_which_the_clocks_were_held_down_are_flagged() -> None:
    """Windows of 2 s from about 3.4 s on; throttled for a second around the second of them."""
    throttled = measure(STEADY, reasons=lambda now_s: 0x4 if 6.0 <= now_s < 7.0 else 0x1)
    flags = [window.flags for window in throttled.windows]
    assert flags == [(), ("throttled", "sw_power_cap"), (), (), (), ()]
    assert len(throttled.windows) == 6


def test_a_gpu_that_tells_nothing_of_its_state_is_measured_all_the_same() -> None:
    reading = measure(STEADY, refusals=Refusals(state="Insufficient Permissions"))
    assert reading.energy_j == pytest.approx(2.1, rel=ALIGNED)
    assert "temperature_c" not in reading.calibration


@settings(max_examples=60)
@given(
    period_s=st.floats(0.02, 0.1),
    phase_s=st.floats(0.0, 1.0),
    power_w=st.floats(20.0, 1000.0),
    call_s=st.floats(0.0005, 1.5),
)
def test_steady_power_comes_back_within_the_misalignment_that_is_told(
    period_s: float, phase_s: float, power_w: float, call_s: float
) -> None:
    """Whatever the period, where the updates lie and how long a call lasts. The counter shows whole millijoules."""
    trace = record_power(lambda now_s: power_w, 45.0, period_s, phase_s * period_s)
    reading = measure(trace, call_s)
    rounding = 0.001 / (power_w * 1.0)
    for window in reading.windows:
        assert window.misalignment <= 0.01
        assert abs(window.energy_j / (power_w * window.call_s) - 1) <= window.misalignment + 2 * rounding + 1e-5
        assert window.call_s == pytest.approx(call_s, rel=1e-3)


@pytest.mark.skipif(gpu_count() > 0, reason="this machine has a GPU, so the sensor is there")
def test_without_a_gpu_there_is_no_figure_but_a_reason() -> None:
    with pytest.raises(InstrumentUnavailable, match="no NVIDIA GPU can be read"):
        open_sensor("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(gpu_count() == 0, reason="needs an NVIDIA GPU")
def test_a_real_gpu_uses_more_than_nothing() -> None:
    sensor = open_sensor("cuda")
    reading = measure_energy(nothing, nothing, sensor, 1.0)
    assert 5.0 < reading.idle_power_w < 1500.0
    assert reading.energy_j > 0
    assert 0.001 <= reading.update_period_s < 1.0


def opened(monkeypatch: pytest.MonkeyPatch, trace: Sequence[Reading], **gpu: Any) -> Callable[[], object]:
    """``open_sensor`` for a recorded GPU."""
    nvml = RecordedNvml(trace, **gpu)
    monkeypatch.setattr("harness.instruments.energy.open_gpu", lambda index=0, uuid="": NvmlDevice(nvml, index, uuid))
    return lambda: open_sensor("cuda", "GPU-5")


def test_a_partitioned_gpu_does_not_charge_one_instance_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstrumentUnavailable, match=r"Recorded GPU is partitioned .*nvidia-smi"):
        opened(monkeypatch, STEADY, refusals=Refusals(mig=""))()


def test_a_gpu_without_counter_and_power_is_no_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InstrumentUnavailable, match=r"Recorded GPU: .*counter.*power"):
        opened(monkeypatch, [Reading(0.0, None, None)])()


def test_a_gpu_with_power_only_is_a_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(opened(monkeypatch, [Reading(0.0, None, 70_000)])(), NvmlDevice)
