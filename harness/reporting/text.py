"""Figures as a page shows them: three significant digits, a unit, an interval, and a dash where there is none."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.contract import Band
from harness.figures import format_bytes, format_duration, format_energy, tells_nothing
from harness.statistics import Estimate

DASH = "–"
NO_INTERVAL = "no interval"
_SCALED = {"ns": format_duration, "bytes": format_bytes, "J": format_energy}
_COMPACT = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float) -> str:
    """Three significant digits; no exponent where digits are as short, no digits after the point beyond a thousand."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if value == 0:
        return "0"
    if 999.5 <= size < 1e7:
        return f"{float(f'{value:.4g}'):,.0f}".replace(",", "\u202f").replace("-", "−")
    if 1e-3 <= size < 1e7:
        return f"{value:.3g}".replace("-", "−")
    return f"{value:.2g}".replace("-", "−")


def compact(value: float) -> str:
    """A size along an axis in little room: ``1000`` as ``1k``, ``1048576`` as ``1.05M``."""
    for factor, letter in _COMPACT:
        if abs(value) >= factor:
            return f"{value / factor:.3g}{letter}"
    return f"{value:.3g}"


def quantity(value: float, unit: str) -> str:
    """A value with a unit that fits its size; ``1`` is the unit of a plain number."""
    if math.isnan(value):
        return DASH
    if unit in _SCALED:
        return _SCALED[unit](value).replace(" u", " µ").replace(" ", "\u00a0")
    return number(value) + ("" if unit == "1" else f"\u00a0{unit}")


def interval(estimate: Estimate | None, unit: str = "1") -> str:
    """Both ends; empty for an exact count, a word where one measurement is all there is."""
    if estimate is None or estimate.low == estimate.high:
        return ""
    if not estimate.has_interval:
        return NO_INTERVAL
    if tells_nothing(estimate.low, estimate.high):
        return "interval too wide to tell"
    low, high = quantity(estimate.low, unit), quantity(estimate.high, unit)
    figure, space, scale = low.rpartition("\u00a0")
    shared = space and high.endswith(space + scale)
    return f"{figure if shared else low} to {high}"


def estimate_with_interval(estimate: Estimate | None, unit: str = "1") -> str:
    if estimate is None:
        return DASH
    ends = interval(estimate, unit)
    return quantity(estimate.value, unit) + (f" ({ends})" if ends else "")


def times(ratio: Estimate | None) -> str:
    """A cost ratio: ``× 0.25``."""
    return DASH if ratio is None else f"×\u00a0{number(ratio.value)}"


def percent(share: float) -> str:
    if math.isnan(share):
        return DASH
    if 0 < share < 1e-4:
        return "under 0.01\u00a0%"
    return f"{100 * share:.2g}\u00a0%" if share < 0.995 else f"{100 * share:.0f}\u00a0%"


def band(limits: Band, unit: str = "1") -> str:
    """``at most 2``, ``at least 0.9``, ``0.9 to 1.1``, ``exactly 3``."""
    low, high = limits.low, limits.high
    if math.isinf(low) and math.isinf(high):
        return "anything"
    if math.isinf(low):
        return f"at most {quantity(high, unit)}"
    if math.isinf(high):
        return f"at least {quantity(low, unit)}"
    return f"exactly {quantity(low, unit)}" if low == high else f"{quantity(low, unit)} to {quantity(high, unit)}"


def count(number_of: int, noun: str, plural: str = "") -> str:
    return f"{number_of} {noun if number_of == 1 else plural or noun + 's'}"


def listing(names: Iterable[str], most: int = 0) -> str:
    """``a, b and c``; beyond ``most`` names only how many more there are."""
    shown: Sequence[str] = list(names)
    if most and len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def is_chinese(text: str) -> bool:
    """Whether a sentence needs a Chinese font and voice."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
