"""Boosting: a tree grown by hand, bin edges by hand, counters against formulas, and answers that must fail."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from suites.gbdt.data import MAKERS
from suites.gbdt.judging import area_under_curve, measure_errors
from suites.gbdt.probes import PROBES, bin_count
from suites.gbdt.reference import boost
from suites.gbdt.suite import SUITE, check_case, make_inputs, rounded

ROOT = Path(__file__).parents[2]
EXACT = ("python_exact", "numpy_exact", "numba_presorted")
BINNED = ("numba_histogram", "numba_histogram_packed", "numba_histogram_rows", "torch_histogram")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.gbdt.{name}").gbdt
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> np.ndarray:
    """Test scores of one implementation, whatever form its arrays have."""
    implementation = load(name)
    arguments = dict(inputs)
    for key in ("x_train", "x_test", "y_train"):
        if implementation.arrays == "python":
            arguments[key] = inputs[key].tolist()
        elif implementation.arrays == "torch":
            import torch

            arguments[key] = torch.from_numpy(inputs[key])
    return np.asarray(list(implementation.function(**arguments))[-1])


def settings_of(x: list[list[float]], y: list[float], x_test: list[list[float]], **changes: Any) -> dict[str, Any]:
    return {
        "x_train": np.array(x, dtype=np.float32),
        "y_train": np.array(y, dtype=np.float64),
        "x_test": np.array(x_test, dtype=np.float32),
        "loss": "squared",
        "rounds": 1,
        "max_depth": 1,
        "max_leaves": 0,
        "shrinkage": 1.0,
        "bins": 255,
        "min_rows": 1,
        **changes,
    }


def drawn(data: str, **case: Any) -> dict[str, Any]:
    inputs = make_inputs(np.random.default_rng(11), data=data, **case)
    return {**inputs, **{name: inputs[name].astype(np.float32) for name in ("x_train", "x_test")}}


@pytest.mark.parametrize("name", ["reference", *EXACT, *BINNED])
def test_stump_by_hand(name: str) -> None:
    """y = 1, 1, 4, 6 at x = 0, 1, 2, 5: mean 3, residuals -2, -2, 1, 3; the cut at 1.5 scores 8 + 8."""
    inputs = settings_of([[0], [1], [2], [5]], [1, 1, 4, 6], [[-9], [1.5], [1.6], [99]], shrinkage=0.5)
    scores = SUITE.reference(**inputs)["test_scores"] if name == "reference" else run(name, inputs)
    assert scores == pytest.approx([2, 2, 4, 4], abs=1e-12)


@pytest.mark.parametrize("name", ["reference", *EXACT, *BINNED])
def test_newton_leaves_by_hand(name: str) -> None:
    """Three of four positive: p = 3/4, log-odds ln 3; the left leaf is (-3/4 + 1/4) / (3/8), the right one 4/3."""
    inputs = settings_of([[0], [0], [1], [1]], [0, 1, 1, 1], [[0], [1]], loss="logistic")
    scores = SUITE.reference(**inputs)["test_scores"] if name == "reference" else run(name, inputs)
    assert scores == pytest.approx([math.log(3) - 4 / 3, math.log(3) + 4 / 3], abs=1e-12)


@pytest.mark.parametrize("name", ["reference", *EXACT, *BINNED])
def test_best_first_takes_the_larger_gain(name: str) -> None:
    """With three leaves only the right child (values 10 and 20), not the left one (0 and 1), is split again."""
    inputs = settings_of([[0], [1], [2], [3]], [0, 1, 10, 20], [[0], [1], [2], [3]], max_depth=0, max_leaves=3)
    scores = SUITE.reference(**inputs)["test_scores"] if name == "reference" else run(name, inputs)
    assert scores == pytest.approx([0.5, 0.5, 10, 20], abs=1e-12)


@pytest.mark.parametrize("name", [*EXACT, *BINNED])
def test_a_threshold_lies_below_the_next_value_of_the_whole_table(name: str) -> None:
    """Second level, right side: the rows 4 and 9 are apart, but 5 exists on the left side of the first split."""
    x = [[0, 5], [0, 5], [1, 4], [1, 9]]
    inputs = settings_of(x, [0, 0, 10, 20], [[1, 4.4], [1, 4.6], [1, 8.9]], max_depth=2)
    assert run(name, inputs) == pytest.approx([10, 20, 20], abs=1e-12)


def test_bins_by_hand() -> None:
    """Ten values for four bins: cuts after the ranks 3, 5 and 8 (quarters of ten, rounded up)."""
    from impls.building_blocks.trees.binning import bin_codes, find_bins

    x = np.arange(10, dtype=np.float32)[:, None] ** 2
    bins = find_bins(x[::-1].copy(), 4)
    assert bins.counts.tolist() == [4]
    assert bins.cuts[0, :3].tolist() == [4, 16, 49]
    assert bins.thresholds[0, :3].tolist() == [6.5, 20.5, 56.5]
    assert bin_codes(x, bins.cuts, 1)[0, :, 0].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


@settings(max_examples=30)
@given(
    column=st.lists(st.integers(-9, 9), min_size=2, max_size=80),
    bins=st.integers(2, 20),
)
def test_bins_of_both_back_ends_and_of_the_probe_agree(column: list[int], bins: int) -> None:
    """The cuts of Numba and torch are the same, and as many as the probe counts by its own rule."""
    import torch

    from impls.building_blocks.trees.binning import bin_codes, find_bins
    from impls.building_blocks.trees.torch_binning import bin_table

    x = np.array(column, dtype=np.float32)[:, None]
    found, table = find_bins(x, bins), bin_table(torch.from_numpy(x), bins)
    assert found.counts[0] == bin_count(x[:, 0], bins)
    assert np.array_equal(bin_codes(x, found.cuts, 1)[0, :, 0], table.codes[0].numpy())
    assert np.array_equal(found.thresholds, table.thresholds.numpy())


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    loss=st.sampled_from(["squared", "logistic"]),
    max_depth=st.integers(1, 5),
    max_leaves=st.sampled_from([0, 2, 5]),
    min_rows=st.integers(1, 30),
)
def test_compiled_search_finds_the_reference_trees(
    seed: int, loss: str, max_depth: int, max_leaves: int, min_rows: int
) -> None:
    """On small tables full of ties, exact and binned search give the reference's scores."""
    inputs = make_inputs(
        np.random.default_rng(seed),
        data="levels",
        n_rows=60,
        loss=loss,
        rounds=3,
        max_depth=max_depth,
        max_leaves=max_leaves,
        min_rows=min_rows,
    )
    expected = SUITE.reference(**inputs)
    inputs = {**inputs, **{name: inputs[name].astype(np.float32) for name in ("x_train", "x_test")}}
    for name in ("numba_presorted", "numba_histogram"):
        outputs = {"test_scores": run(name, inputs)}
        assert measure_errors(outputs, dict(expected), inputs, "exact")["test_scores"] <= 1, name


def test_training_loss_falls_with_every_round() -> None:
    """Least-squares boosting with shrinkage at most 1 never raises the training error."""
    inputs = drawn("friedman1", n_rows=400)
    counters = load("numba_histogram").counters
    assert counters is not None
    fitted = counters(inputs["x_train"], inputs["y_train"], "squared", 40, 3, 0, 0.3, 255, 5)
    losses = fitted.staged_losses(inputs["x_train"], inputs["y_train"])
    assert losses[0] == pytest.approx(np.var(inputs["y_train"]))
    assert np.all(np.diff(losses) < 0)


def test_one_tree_needs_the_updates_of_the_formula() -> None:
    """One split at the root: n updates per feature there; then the smaller child's."""
    x = np.repeat(np.arange(8, dtype=np.float32), 10)[:, None]
    counters = load("numba_histogram").counters
    assert counters is not None
    fitted = counters(x, (x[:, 0] >= 6).astype(np.float64), "squared", 1, 2, 0, 1.0, 255, 1)
    assert fitted.updates == 80 + 20
    assert fitted.compare_builds().direct_updates == 80 + 80
    assert fitted.candidates == 3 * 7


@pytest.mark.parametrize("name", ["numba_histogram", "numba_histogram_rows"])
def test_counted_updates_are_those_of_an_independent_count(name: str) -> None:
    """What the search counts is what building the fitted trees' smaller children again counts."""
    inputs = drawn("friedman1", n_rows=700)
    counters = load(name).counters
    assert counters is not None
    fitted = counters(inputs["x_train"], inputs["y_train"], "squared", 3, 5, 0, 0.1, 64, 10)
    builds = fitted.compare_builds()
    assert fitted.updates == builds.updates
    assert fitted.updates < builds.direct_updates
    assert builds.sum_difference < 1e-12
    assert builds.count_differences == 0


@pytest.mark.parametrize("name", ["numba_histogram", "numba_presorted"])
def test_candidates_are_those_of_the_definition(name: str) -> None:
    values = PROBES["candidates"].measure(
        np.random.default_rng(0), load(name), data="friedman1", n_rows=900, bins=63, rounds=2
    )
    assert values["over_formula"] == [1.0]


def test_quality_margins_pass_a_good_binned_model_and_fail_a_bad_one() -> None:
    """Stumps on 255 bins are as good as exact ones; stumps on 2 bins are not."""
    inputs = drawn("friedman1", n_rows=2_000, max_depth=1, rounds=20)
    expected = dict(SUITE.reference(**inputs))
    good = {"test_scores": run("numba_histogram", inputs)}
    bad = {"test_scores": run("numba_histogram", {**inputs, "bins": 2})}
    assert measure_errors(good, expected, inputs, "histogram")["test_scores"] <= 1
    assert measure_errors(bad, expected, inputs, "histogram")["test_scores"] > 1


@pytest.mark.parametrize(
    ("library", "limits"),
    [("sklearn_histogram", {"min_rows": 20}), ("xgboost_hist", {"min_rows": 1, "least_weight": 5.0})],
)
def test_with_second_order_gains_the_reference_grows_the_trees_of_libraries(
    library: str, limits: dict[str, Any]
) -> None:
    """Rows in a leaf are limited by scikit-learn, their weight by XGBoost, to a quarter of ``min_rows``."""
    pytest.importorskip(library.split("_")[0])
    inputs = drawn("higgs_shaped", n_rows=1_000, levels=200, min_rows=20)
    found = run(library, inputs)
    arguments = {name: value for name, value in inputs.items() if name != "bins"} | limits
    np.testing.assert_allclose(found, boost(**arguments, second_order=True), rtol=1e-5, atol=1e-6)
    assert np.max(np.abs(found - boost(**arguments))) > 0.1
    assert (
        measure_errors({"test_scores": found}, dict(SUITE.reference(**inputs)), inputs, "library")["test_scores"] <= 1
    )


@pytest.mark.parametrize("kind", ["exact", "histogram", "own_thresholds", "library"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_wrong_scores_fail_for_every_kind(kind: str, loss: str) -> None:
    inputs = drawn("levels", n_rows=300, loss=loss, max_depth=4, min_rows=5)
    expected = dict(SUITE.reference(**inputs))
    scores = expected["test_scores"]
    half = len(scores) // 2
    wrong = {
        "zeros": np.zeros_like(scores),
        "shuffled": np.random.default_rng(0).permutation(scores),
        "negated": -scores,
        "fresh rows left out": np.where(np.arange(len(scores)) < half, scores, scores.mean()),
        "not a number": np.where(np.arange(len(scores)) == 3, np.nan, scores),
    }
    assert measure_errors({"test_scores": scores}, expected, inputs, kind)["test_scores"] == 0
    for what, answer in wrong.items():
        error = measure_errors({"test_scores": answer}, expected, inputs, kind)["test_scores"]
        assert not error <= 1, what


def test_scores_that_cancel_are_held_to_the_rounding_of_the_targets() -> None:
    """Nothing to split and balanced classes: the scores are 0 but for the order of adding."""
    inputs = drawn("levels", n_rows=300, loss="logistic", max_depth=4, min_rows=5)
    for name in ("x_train", "x_test"):
        inputs[name] = np.zeros_like(inputs[name])
    inputs["y_train"] = (np.arange(len(inputs["y_train"])) % 2).astype(inputs["y_train"].dtype)
    expected = dict(SUITE.reference(**inputs))
    wanted = expected["test_scores"]
    assert np.max(np.abs(wanted)) < 1e-14
    assert measure_errors({"test_scores": wanted + 1e-16}, expected, inputs, "exact")["test_scores"] <= 1
    assert measure_errors({"test_scores": wanted + 1e-12}, expected, inputs, "exact")["test_scores"] > 1


def test_another_setting_is_no_rounding_error() -> None:
    """One level less, one round less, other shrinkage or other least rows: each fails the check of ours."""
    inputs = drawn("higgs_shaped", n_rows=500, levels=100)
    expected = dict(SUITE.reference(**inputs))
    for change in ({"max_depth": 5}, {"rounds": 9}, {"shrinkage": 0.1001}, {"min_rows": 21}):
        outputs = {"test_scores": run("numba_histogram", {**inputs, **change})}
        assert measure_errors(outputs, expected, inputs, "histogram")["test_scores"] > 1, change


def test_area_under_curve_counts_ties_half() -> None:
    assert area_under_curve(np.array([0, 1, 0, 1]), np.array([1.0, 2, 2, 3])) == pytest.approx(3.5 / 4)


def test_checked_cases_lose_nothing_to_bins() -> None:
    """Every timed case is checked where exact and binned search must find the same trees."""
    for case in SUITE.cases:
        checked = check_case(case)
        assert checked["n_rows"] <= 4_000
        assert checked["levels"] <= case.get("bins", 255)
    x = rounded(MAKERS["higgs_shaped"](np.random.default_rng(0), 500, "")[0], 50)
    assert max(len(np.unique(column)) for column in x.T) <= 50


def test_triton_kernel_through_the_interpreter() -> None:
    """The whole of triton_histogram on the CPU, against the reference."""
    program = """
import json, sys, numpy as np, torch
from suites.gbdt.suite import SUITE, make_inputs, measure_errors
from impls.gbdt.triton_histogram import gbdt
errors = []
for loss, leaves in (("squared", 0), ("logistic", 4)):
    inputs = make_inputs(np.random.default_rng(1), data="levels", n_rows=120, loss=loss, rounds=2, max_depth=3,
                         max_leaves=leaves, min_rows=5)
    expected = dict(SUITE.reference(**inputs))
    tensors = {name: torch.tensor(value, dtype=torch.float32 if name[0] == "x" else torch.float64)
               if isinstance(value, np.ndarray) else value for name, value in inputs.items()}
    scores = list(gbdt.function(**tensors))[-1].numpy()
    errors.append(measure_errors({"test_scores": scores}, expected, inputs, "histogram")["test_scores"])
print(json.dumps(errors))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert max(json.loads(done.stdout.splitlines()[-1])) <= 1


@pytest.mark.gpu
def test_triton_histogram_is_the_reference_on_a_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    inputs = drawn("higgs_shaped", n_rows=2_000, levels=200)
    expected = dict(SUITE.reference(**inputs))
    tensors = {k: torch.from_numpy(v).cuda() if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    scores = list(load("triton_histogram").function(**tensors))[-1].cpu().numpy()
    assert measure_errors({"test_scores": scores}, expected, inputs, "histogram")["test_scores"] <= 1
