"""A suite's headline workload over the commits of stored runs of the same machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from harness.history.entries import History
from harness.reporting import text
from harness.reporting.axes import extent, log_ticks, set_log_scale, set_ticks, within
from harness.reporting.chart import Chart, ends, table
from harness.reporting.drawing import Frame, Key, draw
from harness.reporting.measures import Measures, Workload
from harness.reporting.style import Series
from harness.statistics import Estimate

_PLOT = 210.0
_MOST_LABELS = 5
_COLUMNS = ("implementation", "run", "commit", "measured_at", "time_ns", "low_ns", "high_ns")


@dataclass(frozen=True)
class Moment:
    """One stored run on the way; ``label`` is its commit, with a plus for local changes."""

    run: str
    commit: str
    label: str
    measured_at: str

    @classmethod
    def of(cls, history: History) -> Moment:
        known = history.commit[:7] or "unknown"
        measured = f"{history.measured_at:%Y-%m-%d %H:%M}" if history.measured_at else text.DASH
        return cls(history.source, history.commit, f"{known}{'+' * history.modified}", measured)


def past_chart(
    measures: Measures, workload: Workload, histories: Sequence[History], looks: Mapping[str, Series]
) -> Chart | None:
    """The figure; none where no other run measured the workload.

    :param histories: oldest first, the run itself last.
    """
    lines: dict[str, dict[int, Estimate]] = {}
    for place, history in enumerate(histories):
        for entry in history.entries:
            if entry.suite != measures.suite.name:
                continue
            same = (entry.instrument, entry.case, entry.device, entry.dtype, entry.threads) == (
                "time", workload.case.label, workload.device, workload.dtype, workload.threads
            )  # fmt: skip
            if same and entry.figure is not None and entry.implementation in looks:
                lines.setdefault(entry.implementation, {})[place] = entry.figure.estimate()
    places = sorted({place for line in lines.values() for place in line})
    if len(places) < 2 or workload.until:
        return None
    moments = {place: Moment.of(histories[place]) for place in places}
    return Chart(
        f"past-{measures.suite.name}",
        "Over commits",
        f"Median time of one call in {text.count(len(places), 'stored run')} of this machine, oldest first, with 95 % "
        "intervals; a plus is a commit with local changes. The machine's own state differs from run to run. "
        f"{workload.label(measures.fixed)}.",
        _draw(lines, moments, looks),
        table(
            _COLUMNS,
            (
                (name, at.run, at.commit, at.measured_at, line[place].value, *ends(line[place]))
                for name, line in lines.items()
                for place, at in moments.items()
                if place in line
            ),
        ),
    )


def _draw(
    lines: Mapping[str, Mapping[int, Estimate]], moments: Mapping[int, Moment], looks: Mapping[str, Series]
) -> Markup:
    across = {place: number for number, place in enumerate(moments)}
    names = sorted(lines, key=lambda name: -lines[name][max(lines[name])].value)
    costs = extent(estimate for line in lines.values() for estimate in line.values())
    frame = Frame(
        description=f"Time over {text.count(len(moments), 'run')} of {text.listing(names, 6)}",
        plot_height=_PLOT,
        x_label="commit",
        y_label="time per call",
        y_labels=[text.quantity(tick, "ns") for tick in log_ticks("y", costs)],
        legend=[Key(name, looks[name]) for name in names],
    )
    labels = [moment.label for moment in moments.values()]
    stride = -(-len(labels) // _MOST_LABELS)

    def paint(axes: Axes) -> None:
        set_log_scale(axes, "y", costs, lambda value: text.quantity(value, "ns"))
        axes.set_xlim(-0.4, len(labels) - 0.6)
        set_ticks(axes, "x", list(range(0, len(labels), stride)), lambda number: labels[round(number)])
        for name in names:
            look = looks[name]
            for place, estimate in lines[name].items():
                if span := within(estimate, axes.get_ylim()):
                    axes.plot([across[place]] * 2, span, color=look.colour, linewidth=2.0)
            axes.plot(
                [across[place] for place in lines[name]],
                [estimate.value for estimate in lines[name].values()],
                color=look.colour,
                marker=look.marker,
                linestyle=(0, (4, 2)) if look.dashed else "-",
            )

    return draw(frame, paint)
