"""Every sample of a workload in the order it was taken: warm-up, scatter, drift and what was flagged."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.records import ISOLATED, Record, Sample
from harness.reporting import text
from harness.reporting.axes import set_log_scale
from harness.reporting.chart import Cell, Chart, table
from harness.reporting.dots import set_rows, wrapped
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.leaders import ranked
from harness.reporting.measures import Measures, Workload
from harness.reporting.style import BAD, INK, MUTED, SERIES, Series

MOST_SAMPLES = 60
"""Of one contestant; of more a figure of this size shows no more."""

# Wide enough for what a busy machine does; what lies beyond is drawn at the edge.
_LEAST, _MOST = 0.7, 2.0
_ROW = 30.0
_COLUMNS = ("implementation", "round", "kind", "flags", "duration_ns", "over_median")
_KINDS: Mapping[str, Series] = {
    "measured": Series(SERIES[0], "o"),
    "warm-up": Series(MUTED, "o"),
    "alone": Series(SERIES[4], "^"),
    "flagged": Series(BAD, "X"),
}


@dataclass(frozen=True)
class Taken:
    """One sample: its whole duration, and that over the contestant's median."""

    name: str
    round: int
    kind: str
    flags: tuple[str, ...]
    duration_ns: float
    relative: float


def sampling_chart(measures: Measures, workload: Workload) -> Chart | None:
    """The samples of a workload's contestants, fastest first; none where no samples were kept."""
    rows = {}
    for name in ranked(measures, workload, "time"):
        taken = list(_taken(name, measures.records_of(workload, name, "time")))
        if taken:
            rows[name] = taken
    if not rows:
        return None
    kinds = [kind for kind in _KINDS if any(each.kind == kind for taken in rows.values() for each in taken)]
    flags = sorted({flag for taken in rows.values() for each in taken for flag in each.flags})
    about = {
        "warm-up": "hollow: warm-up, which does not count",
        "alone": "triangles: taken alone, to see whether the others disturb",
        "flagged": f"crosses: flagged ({', '.join(flag.replace('_', ' ') for flag in flags)})",
    }
    told = "; ".join(about[kind] for kind in kinds if kind in about)
    thinned = max(map(len, rows.values())) > MOST_SAMPLES
    key = f"samples-{measures.suite.name}"
    return Chart(
        key,
        "Every sample",
        "Each sample over its contestant's own median, the earliest at the top of the row"
        f"{f'; {told}' if told else ''}. What lies beyond the axis is at its edge"
        f"{f'; drawn are {MOST_SAMPLES} at even distances' if thinned else ''}. {workload.label(measures.fixed)}.",
        _draw({name: evenly(taken, MOST_SAMPLES) for name, taken in rows.items()}, kinds),
        table(_COLUMNS, (_row(each) for taken in rows.values() for each in evenly(taken, 3 * MOST_SAMPLES))),
    )


def _taken(name: str, records: Sequence[Record]) -> Iterable[Taken]:
    durations = [sum(sample.values.values()) for record in records for sample in record.measured]
    median = statistics.median(durations) if durations else 0.0
    if median <= 0:
        return
    for record in sorted(records, key=lambda record: record.trial.round):
        for sample in record.samples:
            duration_ns = sum(sample.values.values())
            flags = tuple(flag for flag in sample.flags if flag != ISOLATED)
            if duration_ns > 0:
                yield Taken(name, record.trial.round, _kind(sample), flags, duration_ns, duration_ns / median)


def _kind(sample: Sample) -> str:
    if sample.warmup:
        return "warm-up"
    if ISOLATED in sample.flags:
        return "alone"
    return "flagged" if sample.flags else "measured"


def _row(each: Taken) -> tuple[Cell, ...]:
    return each.name, each.round, each.kind, " ".join(each.flags), each.duration_ns, each.relative


def evenly(taken: Sequence[Taken], most: int) -> Sequence[Taken]:
    """At most so many, at even distances; what is flagged is always among them."""
    if len(taken) <= most:
        return taken
    kept = {round(place * (len(taken) - 1) / (most - 1)) for place in range(most)}
    return [each for place, each in enumerate(taken) if place in kept or each.kind == "flagged"]


def _draw(rows: Mapping[str, Sequence[Taken]], kinds: Sequence[str]) -> Markup:
    counted = [each.relative for taken in rows.values() for each in taken if each.kind != "warm-up"]
    spread = (max(min(counted), _LEAST), min(max(counted), _MOST), 0.95, 1.05)
    frame = Frame(
        description=f"Every sample of {text.listing(rows, 6)} over its own median",
        plot_height=_ROW * len(rows),
        x_label="time, × the contestant's own median",
        y_labels=[wrapped(name) for name in rows],
        legend=[Key(kind, _KINDS[kind], joined=False, hollow=kind == "warm-up") for kind in kinds],
    )

    def paint(axes: Axes) -> None:
        set_log_scale(axes, "x", spread, lambda value: f"×{text.number(value)}")
        low, high = axes.get_xlim()
        axes.axvline(1.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        for kind in kinds:
            series = _KINDS[kind]
            places = [
                (min(max(each.relative, low), high), row - 0.4 + 0.8 * (place + 0.5) / len(taken))
                for row, taken in enumerate(rows.values())
                for place, each in enumerate(taken)
                if each.kind == kind
            ]
            hollow = kind == "warm-up"
            axes.plot(
                [x for x, _ in places],
                [y for _, y in places],
                linewidth=0,
                marker=series.marker,
                color=series.colour,
                markersize=6.0 if kind == "flagged" else 3.6,
                markerfacecolor="none" if hollow else series.colour,
                markeredgewidth=0.9 if hollow else 0.0,
            )
        set_rows(axes, list(rows))

    return draw(frame, paint)
