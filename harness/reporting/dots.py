"""Dots with intervals on a log axis, one row per contestant: ratios and phases."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.reporting.axes import add_labels, extent, set_log_scale, within
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.style import FONT, INK, MUTED, Series
from harness.statistics import Estimate

ROW, TALL_ROW = 23.0, 33.0


@dataclass(frozen=True)
class Dot:
    """One estimate in the row of a contestant; ``kind`` tells the dots of one row apart."""

    row: str
    estimate: Estimate
    series: Series
    kind: str = ""


@dataclass(frozen=True)
class DotPlot:
    """What to draw.

    :param reference: a value that gets a line of its own, with its name.
    :param unseen: what to write in the row of an estimate that is not positive, which a log axis cannot hold.
    """

    label: str
    description: str
    dots: Sequence[Dot]
    name: Callable[[float], str]
    base: int = 10
    reference: tuple[float, str] | None = None
    unseen: str = ""


def draw_dots(plot: DotPlot) -> Markup:
    """The plot as an SVG, its rows from top to bottom in the order of the dots."""
    rows = list(dict.fromkeys(dot.row for dot in plot.dots))
    kinds = {dot.kind: dot.series for dot in plot.dots if dot.kind}
    frame = Frame(
        description=plot.description,
        plot_height=row_height(rows) * len(rows),
        x_label=plot.label,
        y_labels=[wrapped(row) for row in rows],
        headroom=22.0 if plot.reference else 8.0,
        legend=[Key(kind, series, joined=False) for kind, series in kinds.items()],
    )
    return draw(frame, lambda axes: _paint(axes, plot, rows))


def _paint(axes: Axes, plot: DotPlot, rows: Sequence[str]) -> None:
    places = {row: place for place, row in enumerate(rows)}
    shown = [dot for dot in plot.dots if dot.estimate.value > 0]
    values = extent(dot.estimate for dot in shown)
    set_log_scale(axes, "x", values + ([plot.reference[0]] if plot.reference else []), plot.name, plot.base)
    if plot.reference is not None:
        _mark_reference(axes, *plot.reference)
    for dot in shown:
        place = places[dot.row]
        if span := within(dot.estimate, axes.get_xlim()):
            axes.plot(span, [place, place], color=dot.series.colour, linewidth=2.4, zorder=2)
        axes.plot(
            [dot.estimate.value], [place], color=dot.series.colour, marker=dot.series.marker, linewidth=0, zorder=3
        )
    for dot in plot.dots:
        if dot.estimate.value <= 0:
            axes.annotate(
                plot.unseen,
                (0.0, places[dot.row]),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=MUTED,
                fontsize=FONT - 1,
            )
    set_rows(axes, rows)


def row_height(names: Sequence[str]) -> float:
    return TALL_ROW if any("\n" in wrapped(name) for name in names) else ROW


def set_rows(axes: Axes, names: Sequence[str]) -> None:
    """A row per name along the vertical axis, the first on top."""
    axes.set_ylim(len(names) - 0.5, -0.5)
    add_labels(axes, "y", range(len(names)), [wrapped(name) for name in names], FONT)


def _mark_reference(axes: Axes, place: float, name: str) -> None:
    axes.axvline(place, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
    low, high = axes.get_xlim()
    towards = "right" if place > (low * high) ** 0.5 else "left"
    axes.annotate(
        name,
        (place, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(3 if towards == "right" else -3, 2),
        textcoords="offset points",
        ha=towards,
        va="bottom",
        fontsize=FONT - 1,
        color=MUTED,
        annotation_clip=False,
    )


def wrapped(name: str, width: int = 20) -> str:
    """A long name in two lines, broken at an underscore."""
    if len(name) <= width:
        return name
    lines = textwrap.wrap(name.replace("_", "_ "), width, break_long_words=True)
    short = [line.replace("_ ", "_") for line in lines]
    return "\n".join(short[:2]) + ("…" if len(short) > 2 else "")
