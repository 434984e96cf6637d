"""Dots with intervals on a log axis, one row per contestant: ratios, phases, memory."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reporting.axes import set_log_scale
from harness.reporting.style import FONT, INK, MUTED, Series, draw
from harness.statistics import Estimate

_ROW, _TALL_ROW, _FRAME, _LEGEND_ROW = 23.0, 33.0, 50.0, 26.0


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

    key: str
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
    kinds = [kind for kind in dict.fromkeys(dot.kind for dot in plot.dots) if kind]
    row_height = _TALL_ROW if any("\n" in wrapped(row) for row in rows) else _ROW
    height = _FRAME + row_height * len(rows) + _LEGEND_ROW * (len(kinds) > 0) + 14 * (plot.reference is not None)
    return draw(plot.key, height, plot.description, lambda figure: _paint(figure, plot, rows, kinds))


def _paint(figure: Figure, plot: DotPlot, rows: Sequence[str], kinds: Sequence[str]) -> None:
    axes = figure.add_subplot()
    places = {row: place for place, row in enumerate(rows)}
    shown = [dot for dot in plot.dots if dot.estimate.value > 0]
    values = [value for dot in shown for value in (dot.estimate.value, dot.estimate.low, dot.estimate.high)]
    set_log_scale(axes, "x", values + ([plot.reference[0]] if plot.reference else []), plot.name, plot.base)
    if plot.reference is not None:
        _mark_reference(axes, *plot.reference)
    for dot in shown:
        if dot.estimate.has_interval and dot.estimate.low < dot.estimate.high:
            axes.hlines(
                places[dot.row], dot.estimate.low, dot.estimate.high, colors=dot.series.colour, linewidth=2.4, zorder=2
            )
    looks = {_look(dot): dot.series for dot in plot.dots}
    if shown:
        sns.scatterplot(
            pd.DataFrame(
                {
                    "value": [dot.estimate.value for dot in shown],
                    "place": [places[dot.row] for dot in shown],
                    "look": [_look(dot) for dot in shown],
                }
            ),
            x="value",
            y="place",
            hue="look",
            style="look",
            palette={look: series.colour for look, series in looks.items()},
            markers={look: series.marker for look, series in looks.items()},
            s=52,
            linewidth=0,
            legend=False,
            zorder=3,
            ax=axes,
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
    axes.set_yticks(range(len(rows)), [wrapped(row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    for label in axes.get_yticklabels():
        if "\n" in label.get_text():
            label.set_fontsize(FONT - 1.5)
            label.set_linespacing(1.1)
    axes.set(xlabel=plot.label, ylabel="")
    if kinds:
        _add_legend(figure, axes, {dot.kind: dot.series for dot in plot.dots})


def _look(dot: Dot) -> str:
    return dot.kind or dot.row


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


def _add_legend(figure: Figure, axes: Axes, looks: dict[str, Series]) -> None:
    handles = [
        axes.scatter([], [], s=52, color=series.colour, marker=series.marker, label=kind)
        for kind, series in looks.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 4), handletextpad=0.2, borderpad=0.4
    )


def wrapped(name: str, width: int = 20) -> str:
    """A long name in two lines, broken at an underscore."""
    if len(name) <= width:
        return name
    lines = textwrap.wrap(name.replace("_", "_ "), width, break_long_words=True)
    short = [line.replace("_ ", "_") for line in lines]
    return "\n".join(short[:2]) + ("…" if len(short) > 2 else "")
