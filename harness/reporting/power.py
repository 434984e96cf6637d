"""Power over time while a call is repeated, as far as a sensor shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.records import Record
from harness.reporting import text
from harness.reporting.axes import set_even_scale
from harness.reporting.chart import Chart, table
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.leaders import ranked
from harness.reporting.measures import Measures, Workload
from harness.reporting.style import FONT, MUTED, Series

_PLOT = 200.0
_COLUMNS = ("implementation", "begin_s", "end_s", "power_w", "flags")


@dataclass(frozen=True)
class Window:
    """Mean power over a stretch of time, which began ``begin_s`` after the first one did."""

    begin_s: float
    end_s: float
    power_w: float
    flags: tuple[str, ...]


def power_chart(measures: Measures, workload: Workload, looks: Mapping[str, Series]) -> Chart | None:
    """The windows of the energy measurement of one workload; none where there is no sensor or no window has a time."""
    single = Workload(workload.case, workload.device, workload.dtype, 1, workload.until)
    traces: dict[str, list[Window]] = {}
    idle: list[float] = []
    for name in ranked(measures, single, "energy"):
        records = measures.records_of(single, name, "energy")
        windows = [window for record in records[:1] for window in windows_of(record)]
        if windows:
            traces[name] = windows
            idle += [r.calibration["idle_power_w"] for r in records[:1] if "idle_power_w" in r.calibration]
    if not traces:
        return None
    key = f"power-{measures.suite.name}"
    return Chart(
        key,
        "Power over time",
        "Mean power of the device in each window in which a call was repeated without a pause, idle power included; "
        f"the dotted line is the idle device before. {single.label(measures.fixed)}.",
        _draw(traces, looks, min(idle, default=0.0)),
        table(
            _COLUMNS,
            (
                (name, window.begin_s, window.end_s, window.power_w, " ".join(window.flags))
                for name, windows in traces.items()
                for window in windows
            ),
        ),
    )


def windows_of(record: Record) -> Sequence[Window]:
    """The windows that say when they began and how long they were; older records do not."""
    timed = [sample for sample in record.measured if {"begin_s", "duration_s"} <= set(sample.readings)]
    first = min((sample.readings["begin_s"] for sample in timed), default=0.0)
    return [
        Window(
            begin_s=sample.readings["begin_s"] - first,
            end_s=sample.readings["begin_s"] - first + sample.readings["duration_s"],
            power_w=sum(sample.values.values()) * sample.iterations / sample.readings["duration_s"],
            flags=sample.flags,
        )
        for sample in timed
        if sample.readings["duration_s"] > 0
    ]


def _draw(traces: Mapping[str, Sequence[Window]], looks: Mapping[str, Series], idle_w: float) -> Markup:
    powers = [window.power_w for windows in traces.values() for window in windows]
    latest = max(windows[-1].end_s for windows in traces.values())
    highest = max([*powers, idle_w]) * 1.08
    frame = Frame(
        description=f"Power over time: mean from {text.number(min(powers))} to {text.number(max(powers))} W",
        plot_height=_PLOT,
        x_label="seconds since the first window began",
        y_label="W",
        y_labels=[f"{highest:.0f}"],
        legend=[Key(name, looks[name]) for name in traces],
    )

    def paint(axes: Axes) -> None:
        set_even_scale(axes, "x", 0.0, latest * 1.02)
        set_even_scale(axes, "y", 0.0, highest)
        if idle_w > 0:
            axes.axhline(idle_w, color=MUTED, linewidth=1.2, linestyle=":")
            axes.annotate("idle", (0.0, idle_w), xytext=(4, 3), textcoords="offset points", color=MUTED,
                          fontsize=FONT - 1)  # fmt: skip
        for name, windows in traces.items():
            for window in windows:
                axes.plot([window.begin_s, window.end_s], [window.power_w] * 2, color=looks[name].colour, linewidth=2.0)
            axes.plot(
                [(window.begin_s + window.end_s) / 2 for window in windows],
                [window.power_w for window in windows],
                color=looks[name].colour,
                marker=looks[name].marker,
                linewidth=0,
            )

    return draw(frame, paint)
