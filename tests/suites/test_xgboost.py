"""Second-order boosting: trees by hand, default directions, sketches against exact ranks, libraries' own scales."""

from __future__ import annotations

import importlib
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from suites.xgboost.data import MAKERS
from suites.xgboost.inputs import base_score, compress, make_inputs
from suites.xgboost.judging import measure_errors
from suites.xgboost.model import ABSENT, LEAF, Model
from suites.xgboost.other_learners import boost_with, falling_rounds, ridge_on_some_features
from suites.xgboost.probes import PROBES
from suites.xgboost.reference import line_search, reference
from suites.xgboost.suite import SUITE, check_case

COMPLETE = ("numba_presorted", "numba_sort_per_node", "numba_histogram")
"""Those that take complete tables only."""
ANY = ("numpy_exact", "numba_block", "numba_block_prefetch", "numba_block_dense", "numba_sketch", "numba_sketch_block")
OURS = ("reference", "python_exact", *ANY, *COMPLETE)
PLAIN = Model("squared", "second", 1, 1, 1.0, 0.0, 0.0, 0.0, 0.0, 1, 255, 0.0)
NAN = math.nan


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.xgboost.{name}").boost
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, x: Any, y: Any, x_test: Any, model: Model, *, sparse: bool = False) -> dict[str, np.ndarray]:
    """All outputs of one implementation, or of the reference."""
    x, x_test = np.array(x, dtype=np.float32), np.array(x_test, dtype=np.float32)
    values, columns, row_starts = compress(x if sparse else x[:0])
    arguments: list[Any] = [x[:0] if sparse else x, values, columns, row_starts, np.array(y, dtype=np.float64), x_test]
    if name == "reference":
        return {key: np.asarray(value) for key, value in reference(*arguments, model).items()}
    implementation = load(name)
    if implementation.arrays == "python":
        arguments = [array.tolist() for array in arguments]
    delivered = list(implementation.function(*arguments, model))
    trees = [np.asarray(array) for array in delivered[3]] if len(delivered) > 3 else []
    names = [output.name for output in SUITE.phases["describe"]]
    return {"test_scores": np.asarray(delivered[2]), **dict(zip(names, trees, strict=False))}


@pytest.mark.parametrize("name", OURS)
def test_gain_and_weights_by_hand(name: str) -> None:
    """r = -1, -1, 3 at x = 0, 1, 2; l2 = 1: (4/3 + 9/2 - 1/4) / 2 gained, less gamma; weights -2/3 and 3/2."""
    model = PLAIN._replace(l2=1.0, gamma=0.5)
    found = run(name, [[0], [1], [2]], [-1, -1, 3], [[0], [1.5], [1.6]], model)
    assert found["feature"].tolist() == [[0, LEAF, LEAF]]
    assert found["threshold"][0, 0] == 1.5
    assert found["gain"][0, 0] == pytest.approx((4 / 3 + 9 / 2 - 1 / 4) / 2 - 0.5)
    assert found["weight"][0].tolist() == pytest.approx([0, -2 / 3, 3 / 2])
    assert found["cover"][0].tolist() == [3, 2, 1]
    assert found["test_scores"].tolist() == pytest.approx([-2 / 3, -2 / 3, 3 / 2])


@pytest.mark.parametrize("name", OURS)
def test_soft_threshold_by_hand(name: str) -> None:
    """With l1 = 1/2 the sums -2 and 3 count as -3/2 and 5/2, and their difference 1 as 1/2."""
    found = run(name, [[0], [1], [2]], [-1, -1, 3], [[0], [2]], PLAIN._replace(l1=0.5))
    assert found["gain"][0, 0] == pytest.approx((2.25 / 2 + 6.25 - 0.25 / 3) / 2)
    assert found["test_scores"].tolist() == pytest.approx([-0.75, 2.5])


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(("gamma", "leaves"), [(1.9, 2), (2.1, 1)])
def test_gamma_is_on_the_scale_of_the_paper(name: str, gamma: float, leaves: int) -> None:
    """Residuals -1, -1, 1, 1 gain (2 + 2 - 0) / 2 = 2 by their only split."""
    found = run(name, [[0], [0], [1], [1]], [-1, -1, 1, 1], [[0]], PLAIN._replace(gamma=gamma))
    assert np.count_nonzero(found["feature"] == LEAF) == leaves


@pytest.mark.parametrize("name", [name for name in OURS if name not in COMPLETE])
@pytest.mark.parametrize("sparse", [False, True])
def test_absent_entries_learn_their_side(name: str, sparse: bool) -> None:
    """Absent entries behave like 2 here: they go right. A stored zero is a value and goes left."""
    x = [[0], [0], [2], [2], [NAN], [NAN]]
    found = run(name, x, [-1, -1, 1, 1, 1, 1], [[0], [NAN], [5]], PLAIN, sparse=sparse)
    assert (found["threshold"][0, 0], found["default_left"][0, 0]) == (1.0, 0)
    assert found["test_scores"].tolist() == pytest.approx([-1, 1, 1])


@pytest.mark.parametrize("name", [name for name in OURS if name not in COMPLETE])
def test_presence_itself_can_be_split_on(name: str) -> None:
    """One value or none: the lowest threshold, below all values, with absent entries on the left."""
    found = run(name, [[1], [1], [NAN], [NAN]], [2, 2, 0, 0], [[1], [NAN]], PLAIN, sparse=True)
    assert (found["threshold"][0, 0], found["default_left"][0, 0]) == (-math.inf, 1)
    assert found["test_scores"].tolist() == pytest.approx([2, 0])


@pytest.mark.parametrize("name", OURS)
def test_least_weight_is_of_hessians_in_second_order_and_of_rows_in_first(name: str) -> None:
    """Four rows at p = 1/2 weigh 1 together: no side of two rows has a sum of Hessians of 1, but of rows it has."""
    model = PLAIN._replace(loss="logistic", min_child_weight=1.0)
    table = ([[0], [0], [1], [1]], [0, 0, 1, 1], [[0]])
    assert run(name, *table, model)["feature"][0, 0] == LEAF
    assert run(name, *table, model._replace(order="newton_leaves"))["feature"][0, 0] == 0


@pytest.mark.parametrize("name", OURS)
def test_a_sum_that_misses_the_least_weight_by_rounding_has_it(name: str) -> None:
    """Ten Hessians of 0.1 on either side, which add up to 1 - 1e-16."""
    share = (1 - math.sqrt(1 - 4 * 0.1)) / 2
    model = PLAIN._replace(loss="logistic", min_child_weight=1.0, base=math.log(share / (1 - share)))
    table = ([[0]] * 10 + [[1]] * 10, [0] * 10 + [1] * 10, [[0]])
    assert run(name, *table, model)["feature"][0, 0] == 0


@pytest.mark.parametrize("name", OURS)
def test_a_line_search_ends_at_the_least_loss(name: str) -> None:
    """Leaves of 1/6 and -1/6 of the mean residual: no other factor of the tree has a lower loss."""
    x, y = [[0]] * 3 + [[1]] * 3, [0, 0, 1, 0, 1, 1]
    found = run(name, x, y, x, PLAIN._replace(loss="logistic", order="first"))
    weight = found["weight"][0, 2]
    assert found["weight"][0, 1] == pytest.approx(-weight)
    assert weight == pytest.approx(math.log(2), abs=1e-9)  # p = 2/3, the share of ones on that side


def test_a_line_search_without_a_minimum_ends() -> None:
    y = np.array([0.0, 1.0])
    factor = line_search(y, np.zeros(2), np.array([-1.0, 1.0]), "logistic")
    assert 5 < factor < math.inf


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    loss=st.sampled_from(["squared", "logistic"]),
    order=st.sampled_from(["second", "newton_leaves", "first"]),
    sparse=st.booleans(),
    max_depth=st.integers(1, 4),
    l2=st.sampled_from([0.5, 1.0]),
    gamma=st.sampled_from([0.0, 0.3]),
    min_rows=st.integers(1, 8),
)
def test_compiled_search_finds_the_reference_trees(
    seed: int, loss: str, order: str, sparse: bool, max_depth: int, l2: float, gamma: float, min_rows: int
) -> None:
    """On small tables with gaps and full of ties: every split, default direction, gain and score."""
    inputs = make_inputs(
        np.random.default_rng(seed),
        data="gaps",
        n_rows=50,
        storage="sparse" if sparse else "dense",
        loss=loss,
        order=order,
        rounds=2,
        max_depth=max_depth,
        l2=l2,
        gamma=gamma,
        min_rows=min_rows,
    )
    expected = {key: np.asarray(value) for key, value in reference(**inputs).items()}
    inputs = {**inputs, **{name: inputs[name].astype(np.float32) for name in ("x_train", "values", "x_test")}}
    for name in ANY:
        delivered = list(load(name).function(**inputs))
        outputs = {"test_scores": delivered[2], **dict(zip(list(expected)[1:], delivered[3], strict=True))}
        errors = measure_errors(outputs, expected, inputs, "exact")
        assert max(errors.values()) <= 1, (name, errors)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 12_000), error=st.sampled_from([0.02, 0.1]))
def test_streamed_ranks_are_as_good_as_promised(seed: int, count: int, error: float) -> None:
    """Bounds of the summary hold the exact weighted ranks and are no further apart than twice the error."""
    from impls.building_blocks.xgboost.sketch import summarise_stream

    rng = np.random.default_rng(seed)
    values = rng.integers(0, rng.integers(1, 20_000), size=count).astype(np.float32)
    weights = rng.random(count) ** 3 + 1e-3
    summary = summarise_stream(values, weights, error)
    order = np.argsort(values, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(weights[order])])
    below = running[np.searchsorted(values[order], summary.values, side="left")]
    up_to = running[np.searchsorted(values[order], summary.values, side="right")]
    slack = 1e-9 * running[-1]
    assert np.all(summary.low <= below + slack)
    assert np.all(summary.high >= up_to - slack)
    assert summary.values[0] == values.min()
    assert summary.values[-1] == values.max()
    gaps = summary.high[1:] - summary.low[:-1] - summary.weight[1:] - summary.weight[:-1]
    assert np.all(gaps <= 2 * error * running[-1] + slack)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), bins=st.sampled_from([4, 20, 64]))
def test_candidates_are_close_in_weighted_rank(seed: int, bins: int) -> None:
    """Neighbours differ by at most 2 / bins, unless no value lies between them; few values are all candidates."""
    from impls.building_blocks.xgboost.sketch import propose, summarise_sorted

    rng = np.random.default_rng(seed)
    values = np.sort(rng.integers(0, rng.integers(1, 2_000), size=1_500)).astype(np.float32)
    weights = rng.random(len(values)) ** 4
    found = propose(summarise_sorted(values, weights), 2 / bins, bins)
    distinct = np.unique(values)
    if len(distinct) <= bins:
        assert np.array_equal(found, distinct)
        return
    assert (found[0], found[-1]) == (distinct[0], distinct[-1])
    assert len(found) <= bins + 2
    rank = np.concatenate([[0.0], np.cumsum(weights)])[np.searchsorted(values, found)] / weights.sum()
    neighbours = np.diff(np.searchsorted(distinct, found)) == 1
    assert np.all((np.diff(rank) <= 2 / bins + 1e-12) | neighbours)


def test_few_candidates_are_nearly_as_good_as_all() -> None:
    """On continuous data the approximate searches, which propose other candidates, come close and are not the same."""
    x, y = MAKERS["higgs_shaped"](np.random.default_rng(5), 3_000, "logistic")
    model = Model("logistic", "second", 10, 4, 0.3, 1.0, 0.0, 0.0, 1.0, 1, 32, base_score(y, "logistic"))
    losses = {}
    for name in ("numba_presorted", "numba_histogram", "numba_sketch", "numba_sketch_block"):
        scores = run(name, x, y, x, model)["test_scores"]
        losses[name] = float(np.mean(np.logaddexp(0, scores) - y * scores))
    exact = losses.pop("numba_presorted")
    for name, loss in losses.items():
        assert loss != exact, name
        assert loss == pytest.approx(exact, rel=0.05), name


def test_xgboost_reports_twice_the_gain() -> None:
    """Its gain lacks the factor of one half; so does what it prunes by, and its weights include the shrinkage."""
    xgboost = pytest.importorskip("xgboost")
    from impls.building_blocks.xgboost.library import parameters, training_table

    x, y = MAKERS["gaps"](np.random.default_rng(3), 200, "squared")
    x = x.astype(np.float32)
    model = PLAIN._replace(max_depth=3, l2=1.0, shrinkage=0.5, base=float(y.mean()))
    wanted = run("reference", x, y, x, model)
    booster = xgboost.train(
        {"tree_method": "exact", **parameters(model)}, training_table(x, *compress(x[:0]), y, 5), num_boost_round=1
    )
    tree = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"][0]
    root = wanted["feature"][0, 0]
    assert tree["split_indices"][0] == root
    assert tree["loss_changes"][0] == pytest.approx(2 * wanted["gain"][0, 0], rel=1e-4)
    assert tree["sum_hessian"][0] == pytest.approx(wanted["cover"][0, 0], rel=1e-6)
    leaves = [value for value, left in zip(tree["split_conditions"], tree["left_children"], strict=True) if left < 0]
    weights = wanted["weight"][0][wanted["feature"][0] == LEAF]
    assert sorted(leaves) == pytest.approx(sorted(0.5 * weights), rel=1e-4)


@pytest.mark.parametrize("kind", ["exact", "library", "first_order_library"])
def test_wrong_answers_fail_for_every_kind(kind: str) -> None:
    inputs = make_inputs(np.random.default_rng(2), data="gaps", n_rows=300, rounds=10, max_depth=4)
    expected = {key: np.asarray(value) for key, value in reference(**inputs).items()}
    scores = expected["test_scores"]
    assert max(measure_errors(expected, expected, inputs, kind).values()) == 0
    for wrong in (np.zeros_like(scores), scores[::-1], -scores, np.where(np.arange(len(scores)) == 3, np.nan, scores)):
        assert not measure_errors({"test_scores": wrong}, expected, inputs, kind)["test_scores"] <= 1
    for name in ("feature", "default_left"):
        changed = expected[name].copy()
        changed[0, 0] = 1 - changed[0, 0]
        assert measure_errors({name: changed, "test_scores": scores}, expected, inputs, "exact")[name] > 1


def test_labels_of_claims_state_the_density_of_the_data() -> None:
    for data, rows, density in (
        ("fair_one_hot", 0, 0.174),
        ("modechoice_one_hot", 0, 0.116),
        ("one_hot_10", 300, 0.1),
        ("one_hot_100", 300, 0.01),
        ("one_hot_1000", 300, 0.001),
    ):
        x, _ = MAKERS[data](np.random.default_rng(0), rows, "logistic")
        assert np.mean(~np.isnan(x)) == pytest.approx(density, abs=5e-4), data


def test_counts_tell_the_searches_apart() -> None:
    """What holds for one search must not hold for the other, or the claim could not fail."""
    rng = np.random.default_rng
    once = PROBES["sorts"].measure(rng(0), load("numba_block"), n_rows=300, rounds=2)
    often = PROBES["sorts"].measure(rng(0), load("numba_sort_per_node"), n_rows=300, rounds=2)
    assert (once["per_feature"], once["of_further_trees"]) == ([1.0], [0.0])
    assert often["per_node_and_feature"] == [1.0]
    assert often["of_further_trees"][0] > 0
    aware = PROBES["entries"].measure(rng(0), load("numba_block"), data="one_hot_10", n_rows=300, rounds=2)
    blind = PROBES["entries"].measure(rng(0), load("numba_block_dense"), data="one_hot_10", n_rows=300, rounds=2)
    assert (aware["over_present"], blind["over_all"]) == ([1.0], [1.0])
    assert blind["over_present"][0] == pytest.approx(5.0)


def test_a_learner_that_is_no_tree_lowers_the_loss_until_it_cannot() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5))
    y = x @ np.arange(5.0)
    assert falling_rounds(boost_with(ridge_on_some_features, x, y, 60, 0.1, rng)) == 60
    assert falling_rounds(np.array([3.0, 2.0, 2.0, 1.0])) == 1


def test_checked_cases_are_small_and_of_few_values() -> None:
    for case in SUITE.cases:
        checked = check_case(case)
        assert checked["n_rows"] <= 1_000
        assert checked["levels"] <= 200
    assert ABSENT < LEAF < 0


def test_what_is_left_of_sums_that_cancel_is_no_difference() -> None:
    """Where the classes balance a tree is one leaf, whose weight is nothing but rounding."""
    weights = {"weight": np.array([[-7.66e-17, 0.0]])}
    assert measure_errors({"weight": np.array([[-9.57e-17, 0.0]])}, weights, {}, "exact")["weight"] <= 1
    assert measure_errors({"weight": np.array([[-1e-6, 0.0]])}, weights, {}, "exact")["weight"] > 1
