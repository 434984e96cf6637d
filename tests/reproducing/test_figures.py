"""Figures, verdicts and surroundings of two runs of one request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.contract import Band, Cell, Claim, CostRatio, Where
from harness.records import Record
from harness.reproducing.figures import compare_figures
from harness.reproducing.surroundings import Difference, differences
from harness.reproducing.verdicts import compare_verdicts
from tests.reporting.building import ENVIRONMENT, make_record, make_run, make_suite, make_trial

ROUNDS, BLOCKS = 10, 30
SUITES = {"sums": make_suite()}


def timed(implementation: str, cost_ns: float, seed: int, rounds: int = ROUNDS) -> list[Record]:
    """Processes that differ by half a per cent, and blocks by one."""
    rng = np.random.default_rng([seed, len(implementation)])
    found = []
    for number in range(rounds):
        of_process = cost_ns * (1 + 0.005 * rng.normal())
        costs = [{"query": of_process * (1 + 0.01 * rng.normal())} for _ in range(BLOCKS)]
        found.append(make_record(make_trial(implementation, round=number), costs))
    return found


def probed(*values: float) -> Record:
    trial = make_trial("", instrument="probe", probe="nodes")
    return make_record(trial, [{"count": value} for value in values], errors={}, setup_ns={})


def outcomes(old: Sequence[Record], new: Sequence[Record]) -> dict[tuple[str, str], str]:
    found = compare_figures(make_run(old), make_run(new), SUITES)
    return {(figure.kind, figure.name.split("/")[1].split(" ")[0]): figure.outcome for figure in found}


def test_a_run_against_itself_is_identical_but_for_ratios_that_are_the_same() -> None:
    records = [*timed("plain", 1e6, 1), *timed("quick", 5e5, 2), probed(3, 4)]
    found = compare_figures(make_run(records), make_run(records), SUITES)
    assert Counter(figure.outcome for figure in found) == {"identical": 6, "same": 1}
    (ratio,) = (figure for figure in found if figure.outcome == "same")
    assert ratio.kind == "ratio"
    assert float(ratio.old.split()[0]) == pytest.approx(0.5, rel=0.01)
    assert ratio.factor == 1


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, "same"), (1.05, "undecided"), (1.3, "different"), (0.7, "different")]
)
def test_a_ratio_is_judged_by_its_whole_interval(factor: float, outcome: str) -> None:
    old = [*timed("plain", 1e6, 1), *timed("quick", 5e5, 2)]
    new = [*timed("plain", 3e6, 3), *timed("quick", 1.5e6 * factor, 4)]
    assert outcomes(old, new)["ratio", "quick"] == outcome


def test_one_process_shows_nothing() -> None:
    old = [*timed("plain", 1e6, 1, rounds=1), *timed("quick", 5e5, 2, rounds=1)]
    new = [*timed("plain", 1e6, 3, rounds=1), *timed("quick", 5e5, 4, rounds=1)]
    assert outcomes(old, new)["ratio", "quick"] == "undecided"


def test_errors_within_what_is_allowed_are_the_same() -> None:
    old, new = timed("plain", 1e6, 1), [replace(record, errors={"total": 3e-6}) for record in timed("plain", 1e6, 1)]
    assert outcomes(old, new)["error", "plain"] == "same"


def test_a_status_that_changed_and_what_only_one_has() -> None:
    wrong = [replace(record, status="wrong", reason="total is off by 1") for record in timed("quick", 5e5, 2)]
    old = [*timed("plain", 1e6, 1), *timed("quick", 5e5, 2), *timed("gone", 5e5, 2)]
    found = compare_figures(make_run(old), make_run([*timed("plain", 1e6, 1), *wrong, *timed("more", 1.0, 2)]), SUITES)
    by_name = {figure.name.split("/")[1].split(" ")[0]: figure for figure in found if figure.kind == "status"}
    assert by_name["quick"].outcome == "different"
    assert by_name["quick"].new == "wrong: total is off by 1"
    assert (by_name["gone"].outcome, by_name["gone"].old, by_name["gone"].new) == ("missing", "ok", "")
    assert (by_name["more"].outcome, by_name["more"].old, by_name["more"].new) == ("missing", "", "ok")


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [((3.0, 3.0), (3.0, 3.0), "identical"), ((3.0,), (4.0,), "different"), ((3.0, 3.0), (4.0, 4.0), "different"),
     ((1.0, 2.0, 3.0), (1.1, 2.1, 3.1), "undecided"), ((1.0, 1.1, 1.2), (5.0, 5.1, 5.2), "different")],
)  # fmt: skip
def test_scores(old: tuple[float, ...], new: tuple[float, ...], outcome: str) -> None:
    assert outcomes([probed(*old)], [probed(*new)])["probe", "nodes"] == outcome


def test_verdicts() -> None:
    ratio = CostRatio("quick", "plain", Where({"n": 1000}))
    claims = (
        Claim("sums.1", "cost", "Quick is faster", "a paper", (Cell("n = 1000", ratio, Band(high=0.8)),)),
        Claim("sums.2", "cost", "Quick takes some time", "a paper", (Cell("n = 1000", ratio, Band(low=0.1)),)),
        Claim("sums.3", "cost", "A GPU is faster", "a paper", not_tested="there is no GPU"),
    )
    suites = {"sums": make_suite(claims=claims)}
    old = make_run([*timed("plain", 1e6, 1), *timed("quick", 5e5, 2)])
    slow = make_run([*timed("plain", 1e6, 1), *timed("quick", 1.5e6, 2)])
    none = make_run(timed("plain", 1e6, 1))
    assert [pair.change for pair in compare_verdicts(old, slow, suites)] == ["reversed", "same"]
    assert [pair.change for pair in compare_verdicts(old, none, suites)] == ["no longer tested"] * 2
    assert [pair.change for pair in compare_verdicts(none, old, suites)] == ["tested now"] * 2
    assert compare_verdicts(none, none, suites) == []
    assert compare_verdicts(old, slow, suites)[0].new == "refuted (1.5)"


def test_what_differs_around_them() -> None:
    assert differences(ENVIRONMENT, ENVIRONMENT | {"started_at": "later"}) == [
        Difference("code", "abc123 with changes that were not committed", "abc123 with changes that were not committed")
    ]
    old = {**ENVIRONMENT, "git": {"commit": "abc1234567890"}, "settings": {"rounds": 1, "inner": {"target_ms": 2}}}
    new = {
        **old,
        "git": {"commit": "def1234567890"},
        "machine": {**ENVIRONMENT["machine"], "cpus": 4, "load_average": [0.0, 0.0, 0.0]},
        "packages": {"numpy": "2.5.0", "numba": "0.68.1"},
        "settings": {"rounds": 1, "inner": {"target_ms": 5}},
    }
    assert differences(old, new) == [
        Difference("code", "abc1234567", "def1234567", "git switch --detach abc1234567"),
        Difference("CPUs", "2", "4"),
        Difference("numba", "not installed", "0.68.1", "pip uninstall numba"),
        Difference("numpy", "2.4.6", "2.5.0", "pip install numpy==2.4.6"),
        Difference("setting inner.target_ms", "2", "5"),
    ]
    assert differences(old, old) == []
