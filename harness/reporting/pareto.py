"""Time against peak memory: who can only be beaten in one by giving way in the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.reporting import text
from harness.reporting.axes import extent, log_limits, log_ticks, set_log_limits, set_log_scale, set_ticks, within
from harness.reporting.chart import Chart, ends, table
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.leaders import ranked
from harness.reporting.measures import Measures, Workload
from harness.reporting.style import INK, MUTED, Series
from harness.statistics import Estimate

_PLOT = 230.0
_COLUMNS = ("implementation", "time_ns", "time_low_ns", "time_high_ns", "peak_bytes", "peak_low_bytes",
            "peak_high_bytes", "on_the_front")  # fmt: skip


@dataclass(frozen=True)
class Point:
    """What one contestant takes of either; ``memory`` of 0 or less is a process that did not grow."""

    name: str
    time: Estimate
    memory: Estimate
    series: Series


def pareto_chart(measures: Measures, workload: Workload, looks: Mapping[str, Series]) -> Chart | None:
    """The figure of one workload; none with fewer than two contestants that have both figures.

    Peak memory is read with one thread, whatever the workload has.
    """
    single = replace(workload, threads=1)
    points = []
    for name in ranked(measures, workload, "time"):
        time = measures.reading(workload, name, "time")
        memory = measures.reading(single, name, "memory")
        if time and time.estimate and memory and memory.estimate:
            points.append(Point(name, time.estimate, memory.estimate, looks[name]))
    if len(points) < 2:
        return None
    best = front(points)
    names = text.listing(point.name for point in best)
    with_one = "" if workload.threads == 1 else "; memory with 1 thread"
    key = f"pareto-{measures.suite.name}"
    others = "; any other is both slower and hungrier than one on it" if len(best) < len(points) else ""
    return Chart(
        key,
        "Time against memory",
        f"Median time and peak memory of one call, with 95 % intervals. On the Pareto front, ringed: {names}{others}. "
        f"{workload.label(measures.fixed)}{with_one}.",
        _draw(points, best),
        table(_COLUMNS, (_row(point, point in best) for point in points)),
    )


def front(points: Sequence[Point]) -> list[Point]:
    """Those of which no other is faster and leaner by its medians, fastest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.time.value, point.memory.value)):
        if not kept or max(point.memory.value, 0.0) < max(kept[-1].memory.value, 0.0):
            kept.append(point)
    return kept


def _row(point: Point, on_front: bool) -> list[str | float]:
    return [
        point.name, point.time.value, *ends(point.time), point.memory.value, *ends(point.memory),
        "yes" if on_front else "no",
    ]  # fmt: skip


def _draw(points: Sequence[Point], best: Sequence[Point]) -> Markup:
    memories = [value for value in extent(point.memory for point in points) if value > 0]
    lowest, _ = log_limits(memories)
    none = any(point.memory.value <= 0 for point in points)
    floor = lowest / 3
    ticks = log_ticks("y", memories, 2)
    labels = [*(_bytes(tick) for tick in ticks), "0 B"]
    frame = Frame(
        description=f"Time against peak memory; on the Pareto front: {text.listing(point.name for point in best)}",
        plot_height=_PLOT,
        x_label="time per call",
        y_label="peak memory",
        y_labels=labels if none else labels[:-1],
        legend=[
            Key(point.name + (" (front)" if point in best else ""), point.series, joined=False) for point in points
        ],
    )

    def paint(axes: Axes) -> None:
        set_log_scale(axes, "x", extent(point.time for point in points), lambda value: text.quantity(value, "ns"))
        if none:
            set_log_limits(axes, "y", floor / 1.5, log_limits(memories)[1])
            set_ticks(axes, "y", [floor, *ticks], lambda value: "0\u00a0B" if value <= floor * 1.01 else _bytes(value))
        else:
            set_log_scale(axes, "y", memories, _bytes, 2)
        places = {point.name: max(point.memory.value, floor) for point in points}
        axes.plot(
            [point.time.value for point in best],
            [places[point.name] for point in best],
            color=MUTED,
            linestyle=(0, (4, 3)),
            linewidth=1.2,
            drawstyle="steps-post",
        )
        for point in points:
            _add(axes, point, places[point.name], point in best)

    return draw(frame, paint)


def _add(axes: Axes, point: Point, place: float, on_front: bool) -> None:
    colour, time = point.series.colour, point.time
    if span := within(time, axes.get_xlim()):
        axes.plot(span, [place, place], color=colour, linewidth=1.4)
    if point.memory.value > 0 and (span := within(point.memory, axes.get_ylim())):
        axes.plot([time.value] * 2, span, color=colour, linewidth=1.4)
    if on_front:
        axes.plot([time.value], [place], marker="o", markersize=13, markerfacecolor="none", markeredgecolor=INK,
                  markeredgewidth=1.2)  # fmt: skip
    axes.plot([time.value], [place], color=colour, marker=point.series.marker, linewidth=0)


def _bytes(value: float) -> str:
    return text.quantity(value, "bytes")
