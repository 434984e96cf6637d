"""What a plan leaves out, with the reason."""

from __future__ import annotations

from pathlib import Path

from harness.cli.selecting import parse_where
from harness.config import find_project
from harness.discovery import load_catalogue
from harness.needs import needs_of
from harness.plan import Scope, checks_of, make_plan
from harness.worker.orders import FULL, QUICK

ROOT = Path(__file__).parents[2]


def test_more_threads_than_cpus_are_left_out() -> None:
    catalogue = load_catalogue(find_project(ROOT)).select(["random_forest/numba_histogram"])
    for cpus, left_out in ((2, {4}), (4, set())):
        plan = make_plan(catalogue, Scope("full", ("cpu",), cpus, 7, instruments=("time",)), FULL)
        assert {skipped.trial.threads for skipped in plan.skipped if "CPUs" in skipped.reason} == left_out


def test_a_plan_for_claims_holds_what_they_rest_on_and_no_more() -> None:
    catalogue = load_catalogue(find_project(ROOT)).select(["adaboost"])
    needed = {
        (need.instrument, need.implementation, need.case, need.probe)
        for claim in catalogue.suites["adaboost"].claims
        for cell in claim.cells
        for need in needs_of(cell.evidence)
    }
    plan = make_plan(catalogue, Scope("full", ("cpu",), 2, 7, claims_only=True), FULL)
    everything = make_plan(catalogue, Scope("full", ("cpu",), 2, 7), FULL)
    planned = {(trial.instrument, trial.implementation, trial.case, trial.probe) for trial in plan.trials}
    assert planned == needed
    assert planned < {(trial.instrument, trial.implementation, trial.case, trial.probe) for trial in everything.trials}


def test_who_does_none_of_the_profiles_cases_is_left_out_of_the_check_with_the_reason() -> None:
    catalogue = load_catalogue(find_project(ROOT)).select(["module_vs_functional/compiled_module"])
    trials, skipped = checks_of(catalogue, Scope("quick", ("cpu",), 2, 7))
    assert trials == ()
    assert [skip.reason for skip in skipped] == ["only for depth=32"]
    trials, skipped = checks_of(catalogue, Scope("full", ("cpu",), 2, 7))
    assert {trial.case["depth"] for trial in trials} == {32}
    assert skipped == ()


def test_what_claims_time_besides_the_grid_is_checked_once() -> None:
    catalogue = load_catalogue(find_project(ROOT)).select(["xgboost/xgboost_exact"])
    trials, _ = checks_of(catalogue, Scope("full", ("cpu",), 2, 7))
    ending = [trial for trial in trials if trial.until == "fit"]
    assert {trial.case["n_rows"] for trial in ending} == {10_000, 100_000, 1_000_000}
    assert {trial.threads for trial in trials} == {1}
    assert len(set(trials)) == len(trials)


def test_of_several_values_of_an_axis_a_case_needs_one() -> None:
    catalogue = load_catalogue(find_project(ROOT)).select(["knn/scipy_kdtree"])
    scope = Scope("quick", ("cpu",), 2, 7, where=parse_where(["n=1000", "n=4000", "search=nearest"], catalogue))
    found = {(trial.case["n"], trial.case["search"]) for trial in make_plan(catalogue, scope, QUICK).trials}
    assert {pair for pair in found if pair[1] == "nearest"} == {(1000, "nearest"), (4000, "nearest")}
