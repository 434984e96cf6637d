"""What the parts of a page are made of, before any HTML."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.contract import Band, Suite
from harness.history.earlier import earlier_runs
from harness.history.entries import History
from harness.history.runs import read_run
from harness.loading import load_run
from harness.records import Record, Sample
from harness.reporting import text
from harness.reporting.axes import extent, round_ticks, within
from harness.reporting.chart import table
from harness.reporting.charts import make_charts
from harness.reporting.glance import glance
from harness.reporting.interval import draw_interval
from harness.reporting.leaders import make_board
from harness.reporting.measures import Measures, Rates
from harness.reporting.origin import reproduce
from harness.reporting.parallel import map_in_processes
from harness.reporting.pareto import Point, front
from harness.reporting.roofline import roof
from harness.reporting.sampling import MOST_SAMPLES, Taken, evenly
from harness.reporting.standing import stand
from harness.reporting.style import INK, SERIES, Series, assign_series
from harness.statistics import Estimate
from harness.store import RunWriter
from harness.tables import tidy_table

from .building import ENVIRONMENT, make_record, make_run, make_suite, make_trial, measured, usual_records


def measures_of(records: Sequence[Record], suite: Suite | None = None) -> Measures:
    suite = suite or make_suite()
    table = tidy_table(records, {suite.name: suite}, ENVIRONMENT)
    return Measures(suite, records, table, ENVIRONMENT)


def headline_board(measures: Measures) -> Any:
    assert measures.headline is not None
    return make_board(measures, measures.headline)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.25, "0.25"),
        (-0.05, "−0.05"),
        (1234567.0, "1\u202f235\u202f000"),
        (0, "0"),
        (2e-16, "2e−16"),
        (math.nan, text.DASH),
        (math.inf, "∞"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert text.number(value) == shown


def test_an_interval_names_a_shared_unit_once() -> None:
    assert text.interval(Estimate(2e6, 1e6, 3e6), "ns") == "1 to 3\u00a0ms"
    assert text.interval(Estimate(2e6, 9e5, 3e6), "ns") == "900\u00a0µs to 3\u00a0ms"
    assert text.interval(Estimate.exact(3.0)) == ""
    assert text.interval(Estimate.without_interval(3.0, 1)) == "no interval"


def test_a_single_wrong_round_makes_a_contestant_wrong() -> None:
    measures = measures_of(usual_records())
    cheat = stand(measures, "cheat", "")
    assert cheat.standing == "wrong"
    assert (cheat.output, cheat.error, cheat.limit) == ("total", 1.0, 1e-5)
    assert [stand(measures, name, "").standing for name in ("plain", "missing", "broken")] == [
        "right",
        "unavailable",
        "failed",
    ]


def test_an_error_that_is_no_number_is_the_worst() -> None:
    records = [make_record(make_trial("plain"), errors={"total": math.nan, "other": 5.0}, limits={"other": 1.0})]
    assert math.isnan(stand(measures_of(records), "plain", "").error)


def test_leaders_are_ordered_and_the_wrong_have_no_figures() -> None:
    measures = measures_of([record for record in usual_records() if record.trial.case["n"] == 1000])
    board = headline_board(measures)
    assert [leader.name for leader in board.leaders] == ["quick", "plain", "broken", "cheat", "missing"]
    quick, plain, *others = board.leaders
    assert quick.time.value.startswith("50")
    assert quick.time.value.endswith("\u00a0µs")
    assert quick.ratio.value == "×\u00a00.5"
    assert plain.ratio.value == "baseline"
    assert quick.nearest.detail == "of memory traffic"
    assert [phase.name for phase in quick.phases] == ["build", "query"]
    assert sum(phase.percent for phase in quick.phases) == pytest.approx(100)
    for leader in others:
        assert leader.place == 0
        assert {leader.time.value, leader.ratio.value, leader.memory.value, leader.setup.value} == {text.DASH}
        assert leader.reason


def test_a_missing_baseline_is_said_once_and_not_as_a_ratio() -> None:
    board = headline_board(measures_of(measured("quick", 0.5)))
    assert not board.has_ratio
    assert board.notes[0].startswith("No ratio to the baseline: plain was not measured")


def test_who_is_meant_for_other_workloads_is_named_in_a_note() -> None:
    limits = {"tall": "only for n=5 or 7", "wide": "only for n=5 or 7", "small": "only up to n=100"}
    others = [make_record(make_trial(name), status="unavailable", reason=why) for name, why in limits.items()]
    board = headline_board(measures_of([*measured("plain", 1.0), *others]))
    assert [leader.name for leader in board.leaders] == ["plain"]
    assert board.notes[-1] == "Not in this workload: small (only up to n=100); tall, wide (only for n=5 or 7)."


@pytest.mark.parametrize(("factor", "said"), [(1.0, False), (0.0001, True)])
def test_a_share_beyond_the_memory_is_explained(factor: float, said: bool) -> None:
    notes = headline_board(measures_of([*measured("plain", 1.0), *measured("quick", factor)])).notes
    assert any(note.startswith("More than 100 % of memory traffic") for note in notes) is said


def test_nothing_has_no_ratio() -> None:
    peaks = {"plain": 0.0, "quick": 4096.0}
    memory = [
        make_record(make_trial(name, instrument="memory"), [{"total": peak}] * 3, setup_ns={})
        for name, peak in peaks.items()
    ]
    times = [record for name in peaks for record in measured(name, 1.0) if record.trial.instrument == "time"]
    quick = next(each for each in headline_board(measures_of([*times, *memory])).leaders if each.name == "quick")
    assert (quick.memory_ratio.value, quick.memory_ratio.why) == (text.DASH, "no ratio with nothing")


def test_energy_has_its_column_and_its_winner_only_where_it_was_read() -> None:
    joules = {"plain": 2.0, "quick": 0.5}
    energy = [
        make_record(make_trial(name, instrument="energy"), [{"total": value}], setup_ns={})
        for name, value in joules.items()
    ]
    times = [*measured("plain", 1.0), *measured("quick", 0.5)]
    assert not headline_board(measures_of(times)).has_energy
    measures = measures_of([*times, *energy])
    assert [leader.energy.value for leader in headline_board(measures).leaders] == ["500\u00a0mJ", "2\u00a0J"]
    thriftiest = glance(measures, []).thriftiest
    assert thriftiest is not None
    assert thriftiest.name == "quick"


def test_memory_beside_several_threads_says_that_it_was_read_with_one() -> None:
    records = measured("plain", 1.0)
    records.append(make_record(make_trial("plain", threads=2), [{"build": 1e5, "query": 2e5}] * 3))
    measures = measures_of(records)
    both = [make_board(measures, workload).leaders[0].memory for workload in measures.workloads]
    assert [figure.value for figure in both] == ["125\u00a0KiB"] * 2
    assert [figure.detail for figure in both] == ["", "with 1 thread"]


def test_a_column_without_any_figure_gives_way_to_a_note() -> None:
    board = headline_board(measures_of([record for record in measured("plain", 1.0) if record.setup_ns]))
    assert not board.has_memory
    assert "No peak memory: not measured in this workload." in board.notes


def test_part_of_a_call_has_no_share_of_a_ceiling() -> None:
    records = [make_record(make_trial("plain", until="build"), [{"build": 1e5}] * 3)]
    board = headline_board(measures_of(records))
    assert board.label == "n=1000, float32, cpu, 1 thread, until build"
    assert not board.has_nearest
    assert "ends after build" in board.notes[-1]


def test_the_headline_is_the_heaviest_that_most_could_do() -> None:
    records = [*measured("plain", 1.0, 100), *measured("plain", 1.0, 1000), *measured("quick", 0.5, 1000)]
    records += measured("plain", 1.0, 10_000)
    headline = measures_of(records).headline
    assert headline is not None
    assert headline.case["n"] == 1000


def test_a_rival_within_the_noise_is_named() -> None:
    measures = measures_of([*measured("plain", 1.0), *measured("other", 1.0)])
    line = glance(measures, [stand(measures, name, "") for name in measures.contestants])
    assert line.fastest is not None
    assert line.fastest.rival == "plain"
    apart = measures_of([*measured("plain", 1.0), *measured("quick", 0.5)])
    fastest = glance(apart, []).fastest
    assert fastest is not None
    assert (fastest.name, fastest.rival) == ("quick", "")
    assert fastest.against_baseline.replace("\u00a0", " ") == "× 0.5 of plain (0.495 to 0.509)"


def test_memory_that_did_not_grow_is_said_and_not_drawn_as_nothing() -> None:
    still = make_record(make_trial("quick", instrument="memory"), [{"query": 0.0}] * 3)
    records = [*measured("plain", 1.0), measured("quick", 0.5)[0], still]
    pareto = next(chart for chart in make_charts(measures_of(records)) if chart.id == "pareto-sums")
    assert ">0\u00a0B<" in pareto.svg
    assert [row[4] for row in pareto.data.rows] == [0.0, pytest.approx(128_000)]


@pytest.mark.parametrize("low", [1e-9, 0.97, 3.0, 4e8])
@pytest.mark.parametrize("span", [1.05, 1.5, 4.0, 30.0, 1e4, 1e9])
@pytest.mark.parametrize("base", [2, 10])
def test_every_range_has_a_few_ticks(low: float, span: float, base: int) -> None:
    ticks = round_ticks(low, low * span, base)
    assert 1 <= len(ticks) <= 6
    assert all(low <= tick * (1 + 1e-6) and tick <= low * span * (1 + 1e-6) for tick in ticks)
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("estimate", "band"),
    [
        (Estimate(0.5, 0.4, 0.6), Band(high=1.0)),
        (Estimate(12.0, 2.0, math.inf), Band(20.0, math.inf)),
        (Estimate(2.0, -math.inf, 2.0), Band(8, 13)),
        (Estimate.without_interval(3.0, 1), Band(3, 3)),
        (Estimate.exact(0.0), Band(0, 0)),
        (Estimate(1e6, 1e5, 1e7), Band()),
        (None, Band(-1, 1)),
    ],
)
def test_every_estimate_can_be_drawn_within_the_drawing(estimate: Estimate | None, band: Band) -> None:
    drawing = draw_interval(estimate, band, "1", "reproduced", labelled=True)
    assert "nan" not in drawing
    assert "inf" not in drawing.replace("info", "")
    assert 'role="img"' in drawing


def test_looks_differ_between_all_contestants() -> None:
    names = [f"n{number}" for number in range(30)]
    looks = assign_series({name: {"workload"} for name in names}, "n3")
    assert looks["n3"].colour == INK
    assert len({(look.colour, look.marker) for look in looks.values()}) == 30


def test_who_meets_nobody_leaves_the_colours_to_others() -> None:
    apart = {f"apart{number}": {f"workload {number}"} for number in range(9)}
    together = {f"together{number}": {"workload"} for number in range(len(SERIES))}
    mixed = dict(pair for pairs in zip(apart.items(), together.items(), strict=False) for pair in pairs)
    looks = assign_series(mixed, "none")
    assert len({looks[name].colour for name in together}) == len(SERIES)


def test_the_command_quotes_what_a_shell_would_read() -> None:
    request = {"selection": ["knn/*"], "where": ["data=a b"], "instruments": ["time"]}
    command = reproduce({"seed": 5, "profile": "full", "request": request})
    assert command == "bakeoff run 'knn/*' --seed 5 --profile full --where 'data=a b' --instrument time"
    settings = {"precision_percent": 0.5, "rounds": 5, "cuda_graph": True, "claims_only": True, "pin": False}
    options = "--precision 0.5 --rounds 5 --cuda-graph --claims-only --no-pin"
    assert reproduce({"request": settings}) == f"bakeoff run {options}"
    assert (
        reproduce({"request": {"precision_percent": None, "rounds": None, "cuda_graph": False, "pin": True}})
        == "bakeoff run"
    )


def test_the_front_is_who_cannot_be_beaten_in_both() -> None:
    costs = {"fast": (1, 9), "lean": (9, 1), "between": (5, 5), "worse": (6, 6), "as_fast": (1, 10), "none": (20, 0)}
    points = [
        Point(name, Estimate.exact(time), Estimate.exact(memory), Series(INK, "o"))
        for name, (time, memory) in costs.items()
    ]
    assert [point.name for point in front(points)] == ["fast", "between", "lean", "none"]


def test_the_roof_is_the_lower_of_both_ceilings() -> None:
    rates = Rates(flops_per_s=1e11, bytes_per_s=1e10)
    assert roof(rates, 1.0) == 1e10
    assert roof(rates, 1e3) == 1e11
    chart = next(chart for chart in make_charts(measures_of(usual_records())) if chart.id == "roofline-sums")
    # twice n operations on 4 n bytes in 500 ns per number
    row = next(row for row in chart.data.rows if row[0] == "quick" and "n=10000" in str(row[1]))
    assert row[2:4] == (pytest.approx(0.5), pytest.approx(4e6, rel=0.05))
    assert row[4] == pytest.approx(4e6 / 5e9, rel=0.05)


def test_samples_show_warm_up_and_what_was_flagged() -> None:
    samples = [
        Sample(-1, 1, {"build": 5e5, "query": 5e5}, warmup=True),
        *(Sample(block, 10, {"build": 1e5, "query": 1e5}) for block in range(100)),
        Sample(100, 10, {"build": 9e5, "query": 1e5}, flags=("gap",)),
        Sample(101, 10, {"build": 1e5, "query": 1e5}, flags=("isolated",)),
    ]
    records = [make_record(make_trial("plain"), samples=tuple(samples))]
    chart = next(chart for chart in make_charts(measures_of(records)) if chart.id == "samples-sums")
    kinds = Counter(row[2] for row in chart.data.rows)
    assert kinds["flagged"] == 1
    assert kinds["warm-up"] == 1
    assert kinds["alone"] == 1
    flagged = next(row for row in chart.data.rows if row[2] == "flagged")
    assert flagged[3:] == ("gap", 1e6, 5.0)
    assert "crosses: flagged (gap)" in chart.caption
    assert f"drawn are {MOST_SAMPLES}" in chart.caption


def test_what_is_left_of_many_samples_keeps_every_flag() -> None:
    taken = [Taken("x", 0, "flagged" if place == 777 else "measured", (), 1.0, 1.0) for place in range(1000)]
    kept = evenly(taken, 50)
    assert 50 <= len(kept) <= 51
    assert kept[0] is taken[0]
    assert kept[-1] is taken[-1]
    assert taken[777] in kept


def test_power_over_time_is_drawn_where_windows_say_when_they_were() -> None:
    windows = [
        Sample(block, 100, {"total": 0.5}, readings={"begin_s": 2.0 + block, "duration_s": 1.0}) for block in range(6)
    ]
    energy = make_record(
        make_trial("plain", instrument="energy"),
        samples=tuple(windows),
        calibration={"idle_power_w": 20.0},
        setup_ns={},
    )
    chart = next(chart for chart in make_charts(measures_of([*measured("plain", 1.0), energy])) if "power" in chart.id)
    assert chart.data.rows[0][:4] == ("plain", 0.0, 1.0, 50.0)
    assert ">idle<" in chart.svg
    old = replace(energy, samples=tuple(replace(window, readings={}) for window in windows))
    assert not any("power" in chart.id for chart in make_charts(measures_of([*measured("plain", 1.0), old])))


def test_data_for_the_page_is_short_and_no_formula() -> None:
    document = table(("a", "b"), [("x", 0.1 + 0.2), ("=SUM(A1)", math.inf), ("=SUM(A1)", 1e6)]).to_json()
    assert json.loads(document)["rows"] == [["x", 0.3], ["'=SUM(A1)", ""], [None, 1000000]]


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_work_in_processes_keeps_its_order(processes: int) -> None:
    assert map_in_processes(lambda number: number**2, range(7), processes) == [0, 1, 4, 9, 16, 25, 36]


def test_what_fails_in_a_process_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        map_in_processes(lambda number: 1 / number, [2, 1, 0], processes=3)


def test_an_interval_that_tells_nothing_does_not_stretch_the_axis() -> None:
    wild, tame = Estimate(1.0, 1e-8, 1e8), Estimate(2.0, 1.5, 3.0)
    assert extent([wild, tame]) == [1.0, 2.0, 1.5, 3.0]
    assert within(wild, (0.9, 4.0)) == [0.9, 4.0]
    assert within(Estimate.exact(1.0), (0.9, 4.0)) is None


def test_a_workload_is_drawn_over_the_commits_of_stored_runs() -> None:
    def run_at(commit: str, day: int, factor: float) -> History:
        environment = {**ENVIRONMENT, "git": {"commit": commit * 40}, "started_at": f"2026-01-{day:02}T00:00:00+00:00"}
        return read_run(make_run([*measured("plain", 1.0), *measured("quick", factor)], environment), f"run-{day}")

    measures = measures_of([*measured("plain", 1.0), *measured("quick", 0.5)])
    histories = [run_at("a", 1, 2.0), run_at("b", 2, 1.0), run_at("c", 3, 0.5)]
    past = next(chart for chart in make_charts(measures, histories) if chart.id == "past-sums")
    quick = [row for row in past.data.rows if row[0] == "quick"]
    assert [row[1:3] for row in quick] == [("run-1", "a" * 40), ("run-2", "b" * 40), ("run-3", "c" * 40)]
    assert [row[4] for row in quick] == [pytest.approx(ns, rel=0.02) for ns in (2e6, 1e6, 5e5)]
    assert ">aaaaaaa<" in past.svg
    assert not any(chart.id == "past-sums" for chart in make_charts(measures, histories[:1]))


def test_earlier_runs_are_those_of_the_machine_from_before(tmp_path: Path) -> None:
    def store(name: str, folder: str, **changes: Any) -> Path:
        environment = {**ENVIRONMENT, "started_at": f"{name}T00:00:00+00:00", **changes}
        writer = RunWriter.create(tmp_path, folder, name, environment)
        writer.append(measured("plain", 1.0))
        writer.close()
        return writer.path

    for name in ("2026-01-02", "2026-01-01", "2026-01-09"):
        store(name, "here")
    store("2026-01-03", "elsewhere")
    store("2026-01-04", "here", machine={**ENVIRONMENT["machine"], "cpus": 64})
    (store("2026-01-05", "here") / "environment.json").write_text("{")
    own = load_run(store("2026-01-06", "here"))
    assert [history.source for history in earlier_runs(own, tmp_path)] == ["2026-01-01", "2026-01-02"]
