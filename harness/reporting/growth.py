"""How a cost grows along the suite's axis, on log-log axes with the fitted exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from markupsafe import Markup
from matplotlib.figure import Figure

from harness.reporting.axes import set_log_scale, set_size_axis
from harness.reporting.style import GRID, Series, draw
from harness.statistics import Estimate

_PLOT, _LEGEND_ROW = 250.0, 17.5
_LETTERS_IN_A_LINE = 48


@dataclass(frozen=True)
class Curve:
    """One contestant along the axis; ``exponent`` is ``None`` with fewer than three sizes."""

    name: str
    by_size: Mapping[float, Estimate]
    exponent: Estimate | None
    series: Series


@dataclass(frozen=True)
class GrowthPlot:
    key: str
    axis: str
    label: str
    description: str
    curves: Sequence[Curve]
    name: Callable[[float], str]
    base: int = 10


def draw_growth(plot: GrowthPlot) -> Markup:
    """The plot as an SVG with its legend beneath, dearest curve first."""
    curves = sorted(plot.curves, key=lambda curve: -curve.by_size[max(curve.by_size)].value)
    labels = [legend_label(curve, plot.axis) for curve in curves]
    rows = sum(1 + label.count("\n") for label in labels)
    height = _PLOT + _LEGEND_ROW * rows
    return draw(plot.key, height, plot.description, lambda figure: _paint(figure, plot, curves, labels))


def legend_label(curve: Curve, axis: str) -> str:
    """The name, and the power of the size that the cost follows."""
    if curve.exponent is None:
        return f"{curve.name}: too few sizes for an exponent"
    fit = f"{axis}^{exponent(curve.exponent)}"
    joint = "\n" if len(curve.name) + len(fit) > _LETTERS_IN_A_LINE else ": "
    return f"{curve.name}{joint}{fit}"


def exponent(fitted: Estimate) -> str:
    """To two decimals: what matters is how far it is from a whole number."""
    value, low, high = (f"{part:.2f}".replace("-", "−") for part in (fitted.value, fitted.low, fitted.high))
    return f"{value} ({low} to {high})" if fitted.has_interval and low != high else value


def _paint(figure: Figure, plot: GrowthPlot, curves: Sequence[Curve], labels: Sequence[str]) -> None:
    axes = figure.add_subplot()
    frame = pd.DataFrame(
        [
            {"size": size, "cost": estimate.value, "low": estimate.low, "high": estimate.high, "name": label}
            for curve, label in zip(curves, labels, strict=True)
            for size, estimate in curve.by_size.items()
        ]
    )
    looks = {label: curve.series for curve, label in zip(curves, labels, strict=True)}
    set_size_axis(axes, sorted(set(frame["size"])))
    set_log_scale(axes, "y", [*frame["cost"], *frame["low"], *frame["high"]], plot.name, plot.base)
    spread = frame[frame["low"] < frame["high"]]
    for label, part in spread.groupby("name"):
        axes.vlines(part["size"], part["low"], part["high"], colors=looks[str(label)].colour, linewidth=2.4)
    sns.lineplot(
        frame,
        x="size",
        y="cost",
        hue="name",
        style="name",
        hue_order=labels,
        style_order=labels,
        palette={label: series.colour for label, series in looks.items()},
        markers={label: series.marker for label, series in looks.items()},
        dashes={label: (4, 2) if series.dashed else "" for label, series in looks.items()},
        errorbar=None,
        markeredgewidth=0,
        ax=axes,
    )
    axes.grid(True, color=GRID)
    axes.set(xlabel=plot.axis, ylabel=plot.label)
    handles, names = axes.get_legend_handles_labels()
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    figure.legend(handles, names, loc="outside lower left", ncols=1, handlelength=2.2)
