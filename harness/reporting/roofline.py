"""The roofline: what contestants reach of the ceilings that were measured on the machine (Williams et al. 2009)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.reporting import text
from harness.reporting.axes import log_limits, log_ticks, set_log_scale
from harness.reporting.chart import Chart, table
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.measures import Measures, Rates, Workload
from harness.reporting.style import FONT, INK, MUTED, Series

_PLOT = 230.0
_NS_PER_S = 1e9
_COLUMNS = ("implementation", "workload", "flops_per_byte", "flops_per_s", "share_of_the_roof")


@dataclass(frozen=True)
class Achieved:
    """What a contestant reached in one workload.

    :param intensity: floating-point operations per byte of the task's least work.
    :param rate: operations per second.
    :param main: in the headline workload.
    """

    name: str
    workload: str
    intensity: float
    rate: float
    main: bool


def roofline_chart(
    measures: Measures, headline: Workload, family: Iterable[Workload], looks: Mapping[str, Series]
) -> Chart | None:
    """The figure of the headline workload and of others in its setting; none without a work model and ceilings."""
    rates = measures.rates(headline)
    if rates is None:
        return None
    others = [
        workload for workload in family if workload != headline and measures.rates(workload) == rates
    ]  # fmt: skip
    found = [each for workload in (headline, *others) for each in _achieved(measures, workload, workload == headline)]
    if not any(each.main for each in found):
        return None
    key = f"roofline-{measures.suite.name}"
    names = sorted({each.name for each in found}, key=lambda name: -max(e.rate for e in found if e.name == name))
    smaller = f" Small marks: {text.count(len(others), 'other workload')} of its line." if others else ""
    best = max((each for each in found if each.main), key=lambda each: each.rate)
    share = best.rate / roof(rates, best.intensity)
    return Chart(
        key,
        "Roofline",
        "The least work of the task over the time it took, against what this machine reached in a matrix product "
        f"({text.number(rates.flops_per_s / 1e9)} GFLOP/s) and in a copy ({text.number(rates.bytes_per_s / 1e9)}"
        "\u00a0GB/s). "
        f"{headline.label(measures.fixed)}.{smaller}",
        _draw(found, rates, {name: looks[name] for name in names}, f"{best.name} reaches {text.percent(share)}"),
        table(
            _COLUMNS,
            (
                (each.name, each.workload, each.intensity, each.rate, each.rate / roof(rates, each.intensity))
                for each in found
            ),
        ),
    )


def roof(rates: Rates, intensity: float) -> float:
    """Operations per second that the machine allows at an intensity in operations per byte."""
    return min(rates.flops_per_s, rates.bytes_per_s * intensity)


def _achieved(measures: Measures, workload: Workload, main: bool) -> Iterable[Achieved]:
    work = measures.work(workload)
    if work is None or not work.flops or not work.bytes_moved or workload.until:
        return
    for name in measures.contestants:
        median_ns = measures.median(workload, name, "time")
        if median_ns:
            rate = work.flops / median_ns * _NS_PER_S
            yield Achieved(name, workload.label(measures.fixed), work.flops / work.bytes_moved, rate, main)


def _draw(found: Sequence[Achieved], rates: Rates, looks: Mapping[str, Series], summary: str) -> Markup:
    ridge = rates.flops_per_s / rates.bytes_per_s
    across = [*(each.intensity for each in found), ridge / 2, ridge * 4]
    left, right = log_limits(across)
    upwards = [*(each.rate for each in found), *(roof(rates, each.intensity) for each in found), rates.flops_per_s]
    frame = Frame(
        description=f"Roofline: {summary} of the roof above it",
        plot_height=_PLOT,
        x_label="FLOP per byte of the least work",
        y_label="FLOP per second",
        y_labels=[text.compact(tick) for tick in log_ticks("y", upwards)],
        headroom=18.0,
        legend=[Key(name, series, joined=False) for name, series in looks.items()],
    )

    def paint(axes: Axes) -> None:
        set_log_scale(axes, "x", across, text.compact)
        set_log_scale(axes, "y", upwards, text.compact)
        bottom = axes.get_ylim()[0]
        start = max(left, bottom / rates.bytes_per_s)
        axes.plot([start, ridge], [roof(rates, start), rates.flops_per_s], color=INK, linewidth=2.0)
        axes.plot([ridge, right], [rates.flops_per_s] * 2, color=INK, linewidth=2.0)
        axes.annotate("roof: copy, then matrix product", (1.0, 1.0), xycoords="axes fraction", xytext=(0, 5),
                      textcoords="offset points", ha="right", color=MUTED, fontsize=FONT - 1)  # fmt: skip
        for each in sorted(found, key=lambda each: each.main):
            series = looks[each.name]
            axes.plot([each.intensity], [each.rate], color=series.colour, marker=series.marker,
                      markersize=7.0 if each.main else 3.5, linewidth=0)  # fmt: skip

    return draw(frame, paint)
