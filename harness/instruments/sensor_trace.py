"""What a sensor showed over time, and the arithmetic on it. Nothing here reads a sensor or a clock.

A counter of energy is renewed now and then, every 20 to 100 ms on a GPU, every millisecond in RAPL. Polling sees a new
value some time after it appeared, so each update carries the gap since the reading before, within which it happened.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

IMPLAUSIBLE_POWER_W = 1e4
"""No device draws this; a counter that moves so fast has jumped (a reset that was taken for a wrap-around)."""

# An update that was seen late is followed by the next one at once, which must not look like a burst of power.
LATENESS_S = 0.1


@dataclass(frozen=True)
class Update:
    """A new value of a sensor.

    :param time_s: when polling first saw it.
    :param gap_s: time since the last successful reading before; the sensor was renewed within it.
    """

    time_s: float
    value: float
    gap_s: float


@dataclass(frozen=True)
class CountedPower:
    """Mean power between two updates of a counter.

    :param span_s: time between the two.
    :param misalignment_s: how far ``span_s`` may be off, since updates are seen a little late.
    """

    power_w: float
    span_s: float
    misalignment_s: float


class SensorTrace:
    """The successful readings of one quantity in the order of time.

    A reading that failed is not in it; ``failure`` is why the latest one did, empty once one has succeeded again.
    """

    def __init__(self) -> None:
        self.failure = ""
        self._times_s: list[float] = []
        self._values: list[float] = []
        self._updates: list[Update] = []

    def add(self, time_s: float, value: float) -> None:
        self.failure = ""
        if self._values and value != self._values[-1]:
            self._updates.append(Update(time_s, value, time_s - self._times_s[-1]))
        # In this order, so that another thread that finds a reading by its time also finds its value.
        self._values.append(value)
        self._times_s.append(time_s)

    @property
    def readings(self) -> int:
        return len(self._times_s)

    @property
    def moves(self) -> int:
        """How often a new value was seen."""
        return len(self._updates)

    @property
    def first_reading_s(self) -> float:
        """Time of the first successful reading; infinity if there was none."""
        return self._times_s[0] if self._times_s else math.inf

    @property
    def last_reading_s(self) -> float:
        """Time of the last successful reading; minus infinity if there was none."""
        return self._times_s[-1] if self._times_s else -math.inf

    @property
    def first_move_s(self) -> float:
        """When the first new value was seen; infinity if there was none."""
        return self._updates[0].time_s if self._updates else math.inf

    @property
    def last_move_s(self) -> float:
        """When the last new value was seen; minus infinity if there was none."""
        return self._updates[-1].time_s if self._updates else -math.inf

    def update_period_s(self) -> float:
        """Median time between updates; not a number with fewer than two.

        The median is not moved by a missing reading, which makes one interval longer and the next shorter.
        """
        if len(self._updates) < 2:
            return math.nan
        return float(np.median(np.diff([update.time_s for update in self._updates])))

    def counted_power(self, begin_s: float, end_s: float) -> CountedPower | None:
        """Mean power of an energy counter in joules, from the last update before ``begin_s`` to that before ``end_s``.

        ``None`` where there are no two updates to span, or where the counter jumped in between: it went back (a reset,
        or a wrap-around of unknown range) or forward by more than any device can draw.
        """
        first = bisect_right(self._updates, begin_s, key=_time_s) - 1
        last = bisect_right(self._updates, end_s, key=_time_s) - 1
        if first < 0 or last <= first:
            return None
        updates = self._updates[first : last + 1]
        if any(_jumped(before, after) for before, after in pairwise(updates)):
            return None
        span_s = updates[-1].time_s - updates[0].time_s
        return CountedPower(
            power_w=(updates[-1].value - updates[0].value) / span_s,
            span_s=span_s,
            misalignment_s=max(updates[0].gap_s, updates[-1].gap_s),
        )

    def mean(self, begin_s: float, end_s: float, longest_gap_s: float) -> float:
        """Time-weighted mean of the readings within, by the trapezoidal rule.

        Not a number with fewer than two readings, or where there is none for longer than ``longest_gap_s``.
        """
        first, last = bisect_left(self._times_s, begin_s), bisect_right(self._times_s, end_s)
        times_s, values = self._times_s[first:last], self._values[first:last]
        if len(times_s) < 2:
            return math.nan
        if np.diff([begin_s, *times_s, end_s]).max() > longest_gap_s:
            return math.nan
        return float(np.trapezoid(values, times_s)) / (times_s[-1] - times_s[0])


def _time_s(update: Update) -> float:
    return update.time_s


def _jumped(before: Update, after: Update) -> bool:
    used_j = after.value - before.value
    return used_j < 0 or used_j > IMPLAUSIBLE_POWER_W * (after.time_s - before.time_s + LATENESS_S)
