"""How a cost grows along the suite's axis, on log-log axes with the fitted exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.reporting.axes import extent, log_ticks, set_log_scale, set_size_axis, within
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.style import Series
from harness.statistics import Estimate

_PLOT = 230.0
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
    axis: str
    label: str
    description: str
    curves: Sequence[Curve]
    name: Callable[[float], str]
    base: int = 10


def draw_growth(plot: GrowthPlot) -> Markup:
    """The plot as an SVG with its legend beneath, dearest curve first."""
    curves = sorted(plot.curves, key=lambda curve: -curve.by_size[max(curve.by_size)].value)
    costs = extent(estimate for curve in curves for estimate in curve.by_size.values())
    frame = Frame(
        description=plot.description,
        plot_height=_PLOT,
        x_label=plot.axis,
        y_label=plot.label,
        y_labels=[plot.name(tick) for tick in log_ticks("y", costs, plot.base)],
        legend=[Key(legend_label(curve, plot.axis), curve.series) for curve in curves],
    )
    return draw(frame, lambda axes: _paint(axes, plot, curves, costs))


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


def _paint(axes: Axes, plot: GrowthPlot, curves: Sequence[Curve], costs: Sequence[float]) -> None:
    set_size_axis(axes, sorted({size for curve in curves for size in curve.by_size}))
    set_log_scale(axes, "y", costs, plot.name, plot.base)
    for curve in curves:
        colour = curve.series.colour
        for size, estimate in curve.by_size.items():
            if span := within(estimate, axes.get_ylim()):
                axes.plot([size, size], span, color=colour, linewidth=2.4)
        axes.plot(
            list(curve.by_size),
            [estimate.value for estimate in curve.by_size.values()],
            color=colour,
            marker=curve.series.marker,
            linestyle=(0, (4, 2)) if curve.series.dashed else "-",
        )
