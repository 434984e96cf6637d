"""Which figures a suite gets, and what each says in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from harness.history.entries import History
from harness.reporting import text
from harness.reporting.chart import Chart, ends, table
from harness.reporting.dots import Dot, DotPlot, draw_dots
from harness.reporting.growth import Curve, GrowthPlot, draw_growth, exponent
from harness.reporting.leaders import ranked
from harness.reporting.measures import Family, Measures, Workload
from harness.reporting.pareto import pareto_chart
from harness.reporting.past import past_chart
from harness.reporting.power import power_chart
from harness.reporting.roofline import roofline_chart
from harness.reporting.sampling import sampling_chart
from harness.reporting.style import SERIES, Series, assign_series
from harness.statistics import Estimate, growth_exponent

MOST_FAMILIES = 2
_PHASE_MARKERS = ("o", "s", "^", "D", "v", "P")


def make_charts(measures: Measures, histories: Sequence[History] = ()) -> tuple[Chart, ...]:
    """The figures of a suite: of the headline workload, and along the suite's axis; none without a right answer.

    :param histories: stored runs of the machine, oldest first, this one last.
    """
    looks = assign_series(measures.meetings, measures.suite.baseline)
    return tuple(_charts(measures, looks, histories))


def _charts(measures: Measures, looks: Mapping[str, Series], histories: Sequence[History]) -> Iterator[Chart]:
    headline = measures.headline
    if headline is None:
        return
    yield from _speed(measures, headline, looks)
    for number, family in enumerate(measures.families[:MOST_FAMILIES]):
        yield from _growth(measures, family, looks, "time", number)
    line = next((family for family in measures.families if headline in family.by_size.values()), None)
    found = (
        pareto_chart(measures, headline, looks),
        roofline_chart(measures, headline, line.by_size.values() if line else (), looks),
    )
    yield from (chart for chart in found if chart is not None)
    for number, family in enumerate(measures.families[:1]):
        yield from _growth(measures, family, looks, "memory", number)
    yield from _phases(measures, headline)
    last = (
        sampling_chart(measures, headline),
        power_chart(measures, headline, looks),
        past_chart(measures, headline, histories, looks),
    )
    yield from (chart for chart in last if chart is not None)


def _speed(measures: Measures, workload: Workload, looks: Mapping[str, Series]) -> Iterator[Chart]:
    baseline = measures.suite.baseline
    ratios = {name: _ratio(measures, workload, name) for name in ranked(measures, workload, "time")}
    dots = [Dot(name, ratio, looks[name]) for name, ratio in ratios.items() if ratio is not None]
    if not dots or set(ratios) == {baseline}:
        return
    figures = "; ".join(f"{dot.row} {text.estimate_with_interval(dot.estimate)}" for dot in dots)
    yield Chart(
        f"speed-{measures.suite.name}",
        "Time against the baseline",
        f"Time over that of {baseline} in the same blocks, with 95 % intervals; left of the line is faster. "
        f"{workload.label(measures.fixed)}.",
        draw_dots(
            DotPlot(
                label=f"time, × that of {baseline}" if len(baseline) < 22 else "time, × the baseline's",
                description=f"Time over that of {baseline}: {figures}",
                dots=dots,
                name=lambda value: f"×{text.number(value)}",
                reference=(1.0, "as fast"),
            )
        ),
        table(
            ("implementation", "ratio", "ratio_low", "ratio_high"),
            ((dot.row, dot.estimate.value, *ends(dot.estimate)) for dot in dots),
        ),
    )


def _ratio(measures: Measures, workload: Workload, name: str) -> Estimate | None:
    reading = measures.reading(workload, name, "time")
    return reading.ratio if reading else None


def _phases(measures: Measures, workload: Workload) -> Iterator[Chart]:
    looks = {
        phase: Series(SERIES[place % len(SERIES)], _PHASE_MARKERS[place % len(_PHASE_MARKERS)])
        for place, phase in enumerate(measures.suite.phases)
    }
    dots = [
        Dot(name, reading.estimate, looks[phase], phase)
        for name in ranked(measures, workload, "time")
        for phase in measures.phases(workload, name)
        if (reading := measures.reading(workload, name, "time", phase)) and reading.estimate
    ]
    if len(measures.suite.phases) < 2 or not dots:
        return
    figures = "; ".join(f"{dot.row} {dot.kind} {text.estimate_with_interval(dot.estimate, 'ns')}" for dot in dots)
    yield Chart(
        f"phases-{measures.suite.name}",
        "Time by phase",
        f"Median time of each phase of one call, with 95 % intervals. {workload.label(measures.fixed)}.",
        draw_dots(
            DotPlot(
                label="time per call",
                description=f"Time by phase: {figures}",
                dots=dots,
                name=_name_of("ns"),
                unseen="too short for the clock",
            )
        ),
        table(
            ("implementation", "phase", "time_ns", "low_ns", "high_ns"),
            ((dot.row, dot.kind, dot.estimate.value, *ends(dot.estimate)) for dot in dots),
        ),
    )


def _growth(
    measures: Measures, family: Family, looks: Mapping[str, Series], instrument: str, number: int
) -> Iterator[Chart]:
    unit, what = ("ns", "Time") if instrument == "time" else ("bytes", "Peak memory")
    line = family if instrument == "time" else _with_one_thread(family)
    curves = [
        curve
        for name in measures.contestants
        if len((curve := _curve(measures, line, name, instrument, looks[name])).by_size) > 1
    ]
    if not curves:
        return
    axis = measures.suite.axis
    key = f"growth-{instrument}-{number + 1}-{measures.suite.name}"
    yield Chart(
        key,
        f"{what} along {axis}",
        f"Median {what.lower()} of one call on log-log axes, with 95 % intervals; {_about_fit(curves)}. {family.name}.",
        draw_growth(
            GrowthPlot(
                axis=axis,
                label="time per call" if instrument == "time" else "peak memory of one call",
                description=f"{what} along {axis}: {_in_words(curves, axis)}",
                curves=curves,
                name=_name_of(unit),
                base=10 if instrument == "time" else 2,
            )
        ),
        table(
            ("implementation", axis, f"{instrument}_{unit}", f"low_{unit}", f"high_{unit}", "exponent"),
            (
                (curve.name, size, cost.value, *ends(cost), curve.exponent.value if curve.exponent else "")
                for curve in curves
                for size, cost in curve.by_size.items()
            ),
        ),
    )


def _curve(measures: Measures, family: Family, name: str, instrument: str, series: Series) -> Curve:
    """Only positive costs: a log axis and a power law have no place for others."""
    costs = {}
    observed = {}
    for size, workload in family.by_size.items():
        reading = measures.reading(workload, name, instrument)
        if reading and reading.estimate and reading.estimate.value > 0:
            costs[size] = reading.estimate
            observed[size] = measures.observations(workload, name, instrument)
    try:
        fitted = growth_exponent(observed)
    except ValueError:  # fewer than three sizes
        fitted = None
    return Curve(name, costs, fitted, series)


def _about_fit(curves: Sequence[Curve]) -> str:
    if any(curve.exponent for curve in curves):
        return "the exponents are those of the line through the medians"
    return "an exponent needs three sizes"


def _in_words(curves: Sequence[Curve], axis: str) -> str:
    fitted = {curve.name: curve.exponent for curve in curves if curve.exponent is not None}
    if not fitted:
        return text.listing((curve.name for curve in curves), 6)
    order = sorted(fitted, key=lambda name: fitted[name].value)
    ends = dict.fromkeys((order[0], order[-1]))
    return " to ".join(f"{name} as {axis} to the power of {exponent(fitted[name])}" for name in ends)


def _with_one_thread(family: Family) -> Family:
    return Family(family.name, {size: replace(workload, threads=1) for size, workload in family.by_size.items()})


def _name_of(unit: str) -> Callable[[float], str]:
    return lambda value: text.quantity(value, unit)


def unshown_families(measures: Measures) -> Sequence[Family]:
    """Lines along the axis that have no figure of their own."""
    return measures.families[MOST_FAMILIES:]
