"""Figures as people read them: three significant digits and a unit that fits."""

from __future__ import annotations

import math

# An interval from a value to more than a hundred times it says that nothing is known.
WIDEST_INTERVAL = 100.0

_DURATIONS = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))
_BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))


def format_duration(nanoseconds: float) -> str:
    return _scaled(nanoseconds, _DURATIONS)


def format_bytes(count: float) -> str:
    return _scaled(count, _BYTES)


def format_energy(joules: float) -> str:
    return _scaled(joules, ((1.0, "J"), (1e-3, "mJ"), (1e-6, "uJ")))


def format_quantity(value: float, unit: str) -> str:
    """A value in one of the units of a table (``ns``, ``bytes``, ``J``), or as it is in any other."""
    formats = {"ns": format_duration, "bytes": format_bytes, "J": format_energy}
    if unit in formats:
        return formats[unit](value)
    return "" if math.isnan(value) else f"{value:.3g}" + ("" if unit == "1" else f" {unit}")


def format_ratio(ratio: float) -> str:
    return "" if math.isnan(ratio) else f"{ratio:.3g}"


def format_interval(low: float, high: float) -> str:
    if math.isnan(low) or math.isnan(high):
        return ""
    return "unknown" if tells_nothing(low, high) else f"{low:.3g} to {high:.3g}"


def tells_nothing(low: float, high: float) -> bool:
    """Whether an interval of a positive quantity is too wide to be worth its digits."""
    return 0 < low < high / WIDEST_INTERVAL


def _scaled(value: float, units: tuple[tuple[float, str], ...]) -> str:
    if math.isnan(value):
        return ""
    for factor, unit in units:
        if abs(value) >= factor:
            return f"{value / factor:.3g} {unit}"
    factor, unit = units[-1]
    return f"{value / factor:.3g} {unit}"
