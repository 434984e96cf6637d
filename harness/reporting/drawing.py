"""From what a figure paints to the SVG on the page: fixed margins instead of a layout engine, which takes longer than
the drawing itself, and a legend beneath."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from harness.reporting.style import FONT, INK, VARIABLES, WIDTH, Series, look
from harness.reporting.svg import inline_svg

_MARGIN, _GAP, _LINE = 6.0, 8.0, 17.5
_HANDLE = 34.0
# A page's own font may be wider than the one that is measured here.
_ALLOWANCE = 1.04


@dataclass(frozen=True)
class Key:
    """One line of a legend; without ``joined`` the series is drawn as a mark alone."""

    label: str
    series: Series
    joined: bool = True
    hollow: bool = False


@dataclass(frozen=True)
class Frame:
    """What surrounds the axes of a figure.

    :param description: what is read out in the figure's place.
    :param plot_height: of the axes alone, in pixels.
    :param y_labels: what the vertical axis is labelled with, which decides how much room it takes.
    :param headroom: pixels above the axes.
    """

    description: str
    plot_height: float
    x_label: str
    y_labels: Sequence[str]
    y_label: str = ""
    headroom: float = 8.0
    legend: Sequence[Key] = ()


def draw(frame: Frame, paint: Callable[[Axes], None]) -> Markup:
    """The SVG of what ``paint`` draws into axes within ``frame``."""
    columns = _columns(frame.legend)
    rows = sum(max(key.label.count("\n") + 1 for key in row) for row in _in_rows(frame.legend, columns))
    below = 42.0 + (rows * _LINE + _GAP if frame.legend else 0.0)
    left = _MARGIN + max((text_width(label) for label in frame.y_labels), default=0.0) + _GAP
    left += 20.0 if frame.y_label else 0.0
    height = frame.headroom + frame.plot_height + below
    with look():
        figure = Figure(figsize=(WIDTH / 72, height / 72))
        FigureCanvasSVG(figure)
        axes = figure.add_axes(
            (left / WIDTH, below / height, (WIDTH - left - 16.0) / WIDTH, frame.plot_height / height)
        )
        paint(axes)
        axes.set(xlabel="", ylabel="")
        middle = (left + WIDTH - 16.0) / 2
        figure.text(middle / WIDTH, (below - 36.0) / height, frame.x_label, ha="center", fontsize=FONT)
        if frame.y_label:
            figure.text(
                17.0 / WIDTH,
                (below + frame.plot_height / 2) / height,
                frame.y_label,
                ha="center",
                va="center",
                rotation=90,
                fontsize=FONT,
            )
        _add_legend(figure, height, frame.legend, columns, below - 42.0 - _GAP)
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    return inline_svg(buffer.getvalue(), frame.description, VARIABLES)


def text_width(words: str, size: float = FONT) -> float:
    """Pixels that the longest line of ``words`` takes across."""
    return max((_line_width(line, size) for line in words.split("\n")), default=0.0)


@cache
def _line_width(line: str, size: float) -> float:
    if not line:
        return 0.0
    font = FontProperties(family="DejaVu Sans", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(line, font, False)
    return float(width) * _ALLOWANCE


def _columns(keys: Sequence[Key]) -> int:
    widest = max((text_width(key.label) for key in keys), default=0.0)
    return max(1, min(3, int((WIDTH - 2 * _MARGIN) // (widest + _HANDLE + _GAP)))) if len(keys) > 1 else 1


def _in_rows(keys: Sequence[Key], columns: int) -> list[Sequence[Key]]:
    return [keys[start : start + columns] for start in range(0, len(keys), columns)]


def _add_legend(figure: Figure, height: float, keys: Sequence[Key], columns: int, top: float) -> None:
    """Rows of a mark and its name, from ``top`` pixels above the lower edge downwards."""
    wide = (WIDTH - 2 * _MARGIN) / columns
    y = top - _LINE / 2
    for row in _in_rows(keys, columns):
        for column, key in enumerate(row):
            x = _MARGIN + column * wide
            ends = [x, x + 24.0] if key.joined else [x + 12.0]
            figure.add_artist(
                Line2D(
                    [end / WIDTH for end in ends],
                    [y / height] * len(ends),
                    color=key.series.colour,
                    linewidth=1.6 if key.joined else 0.0,
                    linestyle=(0, (4, 2)) if key.series.dashed else "-",
                    transform=figure.transFigure,
                )
            )
            figure.add_artist(
                Line2D(
                    [(x + 12.0) / WIDTH],
                    [y / height],
                    color=key.series.colour,
                    marker=key.series.marker,
                    markerfacecolor="none" if key.hollow else key.series.colour,
                    markeredgewidth=1.2 if key.hollow else 0.0,
                    linewidth=0.0,
                    transform=figure.transFigure,
                )
            )
            figure.text(
                (x + _HANDLE) / WIDTH,
                (y - 4.2) / height,
                key.label.split("\n")[0],
                color=INK,
                fontsize=FONT - 0.5,
            )
            for number, line in enumerate(key.label.split("\n")[1:], start=1):
                figure.text(
                    (x + _HANDLE) / WIDTH, (y - 4.2 - number * _LINE) / height, line, color=INK, fontsize=FONT - 0.5
                )
        y -= _LINE * max(key.label.count("\n") + 1 for key in row)
