"""Log axes with a few round ticks that are labelled as people say them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from harness.figures import tells_nothing
from harness.reporting import text
from harness.reporting.style import FONT, GRID
from harness.statistics import Estimate

_MOST_TICKS = 5
# As shares of the axis: what the widest label takes across, and what keeps labels apart upwards.
_LEAST_GAP = {"x": 0.24, "y": 0.1}


def set_log_scale(
    axes: Axes, which: Literal["x", "y"], values: Sequence[float], name: Callable[[float], str], base: int = 10
) -> None:
    """A log axis that holds all positive ``values`` with room to both sides; ``name`` labels a tick."""
    low, high = log_limits(values)
    set_log_limits(axes, which, low, high)
    set_ticks(axes, which, log_ticks(which, values, base), name)


def extent(estimates: Iterable[Estimate]) -> list[float]:
    """What a log axis has to hold of ``estimates``: an interval that tells nothing runs off its ends instead."""
    found = []
    for each in estimates:
        found.append(each.value)
        if each.has_interval and each.low > 0 and not tells_nothing(each.low, each.high):
            found += [each.low, each.high]
    return found


def within(estimate: Estimate, limits: tuple[float, float]) -> list[float] | None:
    """Both ends of an interval as far as an axis shows them; ``None`` where there is none to draw."""
    if not estimate.has_interval or not estimate.low < estimate.high:
        return None
    return [max(estimate.low, limits[0]), min(estimate.high, limits[1])]


def set_log_limits(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """A log axis without ticks."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)


def log_ticks(which: Literal["x", "y"], values: Sequence[float], base: int = 10) -> list[float]:
    """The ticks of an axis that holds ``values``."""
    low, high = log_limits(values)
    return thinned(round_ticks(low, high, base), (high / low) ** _LEAST_GAP[which])


def log_limits(values: Sequence[float]) -> tuple[float, float]:
    """Both ends of an axis that holds all positive ``values`` with room to both sides."""
    finite = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    low, high = min(finite), max(finite)
    room = max((high / low) ** 0.06, 1.08)
    return low / room, high * room


def set_size_axis(axes: Axes, sizes: Sequence[float]) -> None:
    """A horizontal log axis with its ticks at the measured sizes, at most as many as have room."""
    low, high = min(sizes), max(sizes)
    room = max((high / low) ** 0.06, 1.08)
    axes.set_xscale("log")
    axes.set_xlim(low / room, high * room)
    set_ticks(axes, "x", thinned(sorted(sizes), (high / low) ** 0.15), text.compact)


def set_even_scale(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """An even axis with a few round ticks."""
    (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    found = MaxNLocator(nbins=_MOST_TICKS, steps=[1, 2, 5, 10]).tick_values(low, high)
    set_ticks(axes, which, [float(tick) for tick in found if low <= tick <= high], text.compact)


def thinned(ticks: Sequence[float], least_factor: float) -> list[float]:
    """The ticks without those that are nearer to the one before than ``least_factor``."""
    kept: list[float] = []
    for tick in ticks:
        if not kept or tick / kept[-1] >= least_factor:
            kept.append(tick)
    return kept


def round_ticks(low: float, high: float, base: int = 10) -> list[float]:
    """A few round values within the range: powers of the base, or steps of 1, 2 and 5, or even steps in a short one."""
    first, last = math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9)
    powers = [float(base) ** power for power in range(first, last + 1)]
    if len(powers) >= 3:
        stride = math.ceil(len(powers) / _MOST_TICKS)
        return powers[::stride]
    digits = (1.0, 2.0, 5.0) if base == 10 else (1.0, 1.5)
    steps = [digit * float(base) ** power for power in range(first - 1, last + 1) for digit in digits]
    steps = [step for step in steps if low <= step <= high]
    if len(steps) >= (3 if base == 10 else 2):
        return steps[:: math.ceil(len(steps) / _MOST_TICKS)]
    even = MaxNLocator(nbins=3, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in even if low <= value <= high] or [low, high]


def set_ticks(axes: Axes, which: Literal["x", "y"], ticks: Sequence[float], name: Callable[[float], str]) -> None:
    """These ticks with lines across and no others."""
    add_labels(axes, which, ticks, [name(tick) for tick in ticks], size=FONT)
    place = axes.get_xaxis_transform() if which == "x" else axes.get_yaxis_transform()
    along = [value for tick in ticks for value in (tick, tick, math.nan)]
    across = [0.0, 1.0, math.nan] * len(ticks)
    ends = (along, across) if which == "x" else (across, along)
    axes.plot(*ends, transform=place, color=GRID, linewidth=0.8, zorder=0.5, scalex=False, scaley=False)


def add_labels(
    axes: Axes, which: Literal["x", "y"], places: Sequence[float], labels: Sequence[str], size: float
) -> None:
    """Labels beneath or beside the axes; matplotlib's own take as long as the rest of a figure."""
    (axes.xaxis if which == "x" else axes.yaxis).set_visible(False)
    apart = (0.0, -5.0 / 72) if which == "x" else (-5.0 / 72, 0.0)
    beside = ScaledTranslation(*apart, axes.figure.dpi_scale_trans)
    transform = (axes.get_xaxis_transform() if which == "x" else axes.get_yaxis_transform()) + beside
    for place, label in zip(places, labels, strict=True):
        at = (place, 0.0) if which == "x" else (0.0, place)
        axes.text(
            *at,
            label,
            transform=transform,
            ha="center" if which == "x" else "right",
            va="top" if which == "x" else "center",
            fontsize=size - 1.5 if "\n" in label else size,
            linespacing=1.1,
        )
