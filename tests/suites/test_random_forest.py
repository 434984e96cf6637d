"""Forests: trees by hand, draws of three back ends, node for node equality, and what the claims score."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from suites.random_forest import draws
from suites.random_forest.claims import CLAIMS
from suites.random_forest.data import MAKERS
from suites.random_forest.judging import measure_errors
from suites.random_forest.probes import (
    out_of_bag_error,
    shares_of,
    stratified_folds,
    strength_and_correlation,
    variance_of_means,
)
from suites.random_forest.reference import grow
from suites.random_forest.settings import features_drawn
from suites.random_forest.suite import SUITE, make_inputs

OURS = ("python_cart", "numpy_sort", "numba_presorted", "numba_histogram", "torch_levels")
COMPILED = ("numba_presorted", "numba_histogram")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.random_forest.{name}").random_forest
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and shares of votes of one implementation, whatever form its arrays have."""
    if name == "reference":
        widened = {**inputs, **{key: inputs[key].astype(np.float64) for key in ("x_train", "x_test")}}
        answer = SUITE.reference(**widened)
        return answer["probability"], answer["votes"]
    implementation = load(name)
    arguments = dict(inputs)
    for key in ("x_train", "y_train", "x_test"):
        if implementation.arrays == "python":
            arguments[key] = inputs[key].tolist()
        elif implementation.arrays == "torch":
            import torch

            arguments[key] = torch.from_numpy(inputs[key])
    _, probability, votes = implementation.function(**arguments)
    return np.asarray(probability), np.asarray(votes)


def settings_of(x: list[list[float]], y: list[int], x_test: list[list[float]], **changes: Any) -> dict[str, Any]:
    return {
        "x_train": np.array(x, dtype=np.float32),
        "y_train": np.array(y, dtype=np.int64),
        "x_test": np.array(x_test, dtype=np.float32),
        "n_classes": max(y) + 1,
        "n_trees": 1,
        "max_features": len(x[0]),
        "scope": "per_split",
        "bootstrap": False,
        "seed": 5,
        **changes,
    }


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_a_tree_by_hand(name: str) -> None:
    """At x0 = 1.5 S is 4/2 + 2/2, on x1 only 1/1 + 5/3; the right side is then cut at 3.5."""
    inputs = settings_of([[0, 7], [1, 7], [2, 5], [5, 7]], [0, 0, 1, 2], [[1.5, 0], [1.6, 0], [9, 0], [3.5, 9]])
    probability, votes = run(name, inputs)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
    assert probability.tolist() == votes.tolist() == expected


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_an_impure_leaf_keeps_its_frequencies_and_votes_for_the_lowest_of_tied_classes(name: str) -> None:
    inputs = settings_of([[1], [1], [1], [1], [2]], [2, 0, 2, 0, 1], [[1], [2]])
    probability, votes = run(name, inputs)
    assert probability.tolist() == [[0.5, 0, 0.5], [0, 1, 0]]
    assert votes.tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_a_split_without_gain_is_made(name: str) -> None:
    """Exclusive or: no first cut gains anything, and yet the tree ends pure."""
    inputs = settings_of([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], [[0, 0], [0, 1], [1, 0], [1, 1]])
    assert run(name, inputs)[0].argmax(axis=1).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_a_draw_of_constant_features_goes_on_per_split_and_ends_per_tree(name: str) -> None:
    """Of ten features only the last one varies, and one is drawn: by nine of ten seeds not that one."""
    x = [[3.0] * 9 + [float(i % 2)] for i in range(6)]
    for seed in range(4):
        root = draws.tree_key(seed, 0, draws.FEATURES)
        lucky = next(draws.feature_order(root, 10)) == 9
        for scope in ("per_split", "per_tree"):
            inputs = settings_of(x, [0, 1] * 3, x[:2], max_features=1, scope=scope, seed=seed)
            pure = run(name, inputs)[0].tolist() == [[1, 0], [0, 1]]
            assert pure == (scope == "per_split" or lucky)


@pytest.mark.parametrize("name", OURS)
def test_values_that_are_not_finite_are_refused(name: str) -> None:
    inputs = settings_of([[0.0], [math.nan]], [0, 1], [[0.0]])
    with pytest.raises(ValueError, match="not finite"):
        run(name, inputs)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**31 - 1),
    data=st.sampled_from(["levels", "constant_features", "repeated_features", "rare_class"]),
    n_rows=st.integers(1, 40),
    max_features=st.integers(1, 5),
    scope=st.sampled_from(["per_split", "per_tree"]),
    bootstrap=st.booleans(),
)
def test_all_of_ours_answer_as_the_reference_does(
    seed: int, data: str, n_rows: int, max_features: int, scope: str, bootstrap: bool
) -> None:
    rng = np.random.default_rng(seed)
    inputs = make_inputs(
        rng, data=data, n_rows=n_rows, n_trees=3, max_features=max_features, scope=scope, bootstrap=bootstrap
    )
    inputs = {**inputs, **{key: inputs[key].astype(np.float32) for key in ("x_train", "x_test")}}
    wanted = run("reference", inputs)
    for name in OURS:
        found = run(name, inputs)
        for array, right in zip(found, wanted, strict=True):
            assert array == pytest.approx(right, abs=1e-12), name


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("scope", ["per_split", "per_tree"])
@pytest.mark.parametrize(("data", "n_rows"), [("levels", 200), ("digits", 0), ("wine", 0)])
def test_trees_are_the_references_node_for_node(name: str, scope: str, data: str, n_rows: int) -> None:
    """Feature exact, threshold equal, gain to 1e-12, and the rows of every leaf by their class counts."""
    x, y = MAKERS[data](np.random.default_rng(3), n_rows)
    x, y = x[:400].astype(np.float32), y[:400]
    n_classes, seed, drawn = int(y.max()) + 1, 77, features_drawn("log2", x.shape[1])
    counters = load(name).counters
    assert counters is not None
    trees = counters(x, y, n_classes, 2, drawn, scope, True, seed).trees
    for number in range(2):
        rows, key = draws.bootstrap_rows(seed, number, len(y)), draws.tree_key(seed, number, draws.FEATURES)
        wide = x[rows].astype(np.float64)
        root = grow(wide, y[rows], n_classes, drawn, scope, key, partial(draws.feature_order, features=x.shape[1]))
        pairs = [(int(trees.first[number]), root)]
        while pairs:
            place, node = pairs.pop()
            found = trees.nodes[place]
            if node.left is None or node.right is None:
                assert found["left"] == place
                frequencies = trees.frequencies[trees.kind[place]]
                assert frequencies == pytest.approx(node.counts / node.counts.sum(), abs=1e-15)
                continue
            assert (found["feature"], found["threshold"]) == (node.feature, node.threshold)
            assert trees.gain[place] == pytest.approx(node.gain, abs=1e-12)
            pairs += [(int(found["left"]), node.left), (int(found["left"]) + 1, node.right)]


def test_large_nodes_are_searched_in_the_orders_kept_and_small_ones_by_sorting_alike() -> None:
    """2,500 rows start above the limit for kept orders; the other search, binned, knows no such limit."""
    rng = np.random.default_rng(8)
    x = rng.integers(0, 200, size=(2_500, 4)).astype(np.float32)
    y = (x[:, 0] + x[:, 1] + rng.normal(0, 60, 2_500) > 200).astype(np.int64)
    arguments = (x, y, x, 2, 2, 2, "per_split", True, 9)
    first, second = (list(load(name).function(*arguments))[1] for name in COMPILED)
    assert np.array_equal(first, second)


def test_draws_by_hand_and_in_all_back_ends() -> None:
    """The first outputs of splitmix64 from the state 1234567 are known; counters, permutations and rows agree."""
    import torch

    from impls.building_blocks.random_forest import draws as compiled
    from impls.building_blocks.random_forest import torch_draws

    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [draws.draw(1234567, i) for i in range(3)] == known
    for seed in (0, 2**31 - 1):
        key = draws.tree_key(seed, 3, draws.ROWS)
        rows = draws.bootstrap_rows(seed, 3, 50)
        assert np.array_equal(compiled.row_weights(np.uint64(key), 50), np.bincount(rows, minlength=50))
        signed = torch.tensor([key - (1 << 64) if key >= 1 << 63 else key])
        assert torch_draws.permutations(signed, 7)[0].tolist() == list(draws.feature_order(key, 7))
        order, swaps = np.arange(7), np.empty(7, dtype=np.int64)
        found = [compiled.next_feature(order, swaps, i, np.uint64(key)) for i in range(7)]
        assert found == list(draws.feature_order(key, 7))
        compiled.undo_swaps(order, swaps, 7)
        assert order.tolist() == list(range(7))


def test_features_and_rows_are_drawn_evenly() -> None:
    """Over 6,000 nodes each of six features comes first a thousand times, give or take five deviations."""
    first = Counter(next(draws.feature_order(draws.draw(1, node), 6)) for node in range(6_000))
    assert max(abs(count - 1_000) for count in first.values()) < 5 * math.sqrt(6_000 * 5 / 36)
    unseen = [
        np.count_nonzero(np.bincount(draws.bootstrap_rows(4, tree, 1_000), minlength=1_000) == 0) for tree in range(50)
    ]
    assert np.mean(unseen) == pytest.approx(1_000 / math.e, abs=5)


@given(a=st.integers(0, 2**63 - 1), b=st.integers(1, 2**44), c=st.integers(0, 2**63 - 1), d=st.integers(1, 2**44))
def test_fractions_are_compared_exactly(a: int, b: int, c: int, d: int) -> None:
    from impls.building_blocks.random_forest.gini import compare, product

    one, other = Fraction(a, b), Fraction(c, d)
    assert compare(a, b, c, d) == (one > other) - (one < other)
    assert compare(a, b, a, b) == 0
    high, low = product(a, d)
    assert (int(high) << 64) + int(low) == a * d


def test_votes_out_of_the_bag_by_hand() -> None:
    """Row 0 is out of trees 0 and 1 (classes 1, 1), row 1 of tree 2 (class 0), row 2 of none."""
    votes = np.array([[1, 1, 1], [1, 1, 1], [0, 0, 0]])
    out = np.array([[True, False, False], [True, False, False], [False, True, False]])
    assert out_of_bag_error(votes, out, np.array([1, 1, 1]), 2) == (0.5, 1)
    assert out_of_bag_error(votes, np.zeros_like(out), np.array([1, 1, 1]), 2) == (0.0, 3)


def test_strength_and_correlation_by_hand() -> None:
    """Two rows, two trees: margins 1 and 0, deviations of the trees' raw margins 0 and 1."""
    votes, y = np.array([[0, 0], [0, 1]]), np.array([0, 0])
    strength, correlation = strength_and_correlation(votes, y, 2)
    assert strength == pytest.approx(0.5)
    assert correlation == pytest.approx(0.25 / 0.5**2)
    assert shares_of(votes, 2).tolist() == [[1, 0], [0.5, 0.5]]


def test_out_of_bag_rows_are_those_not_drawn() -> None:
    x, y = MAKERS["levels"](np.random.default_rng(0), 30)
    counters = load("numba_presorted").counters
    assert counters is not None
    fitted = counters(x.astype(np.float32), y, 3, 4, 2, "per_split", True, 21)
    for tree, out in enumerate(fitted.out_of_bag()):
        assert set(np.flatnonzero(out)) == set(range(30)) - set(draws.bootstrap_rows(21, tree, 30).tolist())


def test_folds_hold_every_class_and_every_row_once() -> None:
    y = np.array([0] * 11 + [1] * 4 + [2] * 5)
    tests = [test for _, test in stratified_folds(y, 5)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(20))
    assert all(np.bincount(y[test], minlength=3).max() <= 3 for test in tests)
    assert all(abs(np.bincount(y[test], minlength=3) - [11 / 5, 4 / 5, 1]).max() < 1 for test in tests)


def test_a_regression_tree_reproduces_what_it_was_grown_on() -> None:
    """Fully grown on distinct rows, a tree returns the target of every row that it drew; its mean is that of all."""
    rng = np.random.default_rng(1)
    x, y = rng.random((60, 4)).astype(np.float32), rng.normal(size=60)
    counters = load("numba_presorted").counters
    assert counters is not None
    fitted = counters(x, y, 0, 3, 2, "per_split", True, 6)
    for tree, values in enumerate(fitted.tree_values(x)):
        drawn = np.unique(draws.bootstrap_rows(6, tree, 60))
        assert values[drawn] == pytest.approx(y[drawn], abs=1e-12)
        assert set(np.round(values, 9)) <= set(np.round(y[drawn], 9))


def test_the_variance_probe_sees_a_line() -> None:
    values = variance_of_means(np.random.default_rng(2), load("numba_presorted"), training_sets=6, repeats=1)
    assert values["r_squared"][0] > 0.9


def test_the_quality_measure_passes_another_draw_and_fails_a_stump() -> None:
    """Another seed's forest is as good; a forest that always answers the classes' shares is not."""
    inputs = make_inputs(np.random.default_rng(4), data="digits", n_rows=200, n_trees=16)
    inputs = {**inputs, **{key: inputs[key].astype(np.float32) for key in ("x_train", "x_test")}}
    wanted = dict(zip(("probability", "votes"), run("numba_histogram", inputs), strict=True))
    other = dict(zip(("probability", "votes"), run("numba_histogram", {**inputs, "seed": 1}), strict=True))
    assert max(measure_errors(other, wanted, inputs, "library").values()) <= 1
    assert min(measure_errors(other, wanted, inputs, "exact").values()) > 1
    blind = {name: np.full_like(array, 0.1) for name, array in wanted.items()}
    assert min(measure_errors(blind, wanted, inputs, "library").values()) > 1


def test_claims_print_the_number_of_features_that_is_used() -> None:
    assert [features_drawn("log2", d) for d in (64, 30, 13, 28)] == [6, 4, 3, 4]
    assert [features_drawn("sqrt", d) for d in (64, 30, 13)] == [8, 5, 3]
    labels = " ".join(cell.label for claim in CLAIMS for cell in claim.cells)
    assert "digits: k = 6 less k = 8" in labels
    assert "breast_cancer: k = 4 less k = 5" in labels
    with pytest.raises(ValueError, match="log2"):
        features_drawn("half", 5)


def test_as_accurate_as_scikit_learn() -> None:
    """Mean accuracy over 20 forests, two one-sided tests within half a point; both sides average frequencies."""
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(6)
    x, y = MAKERS["digits"](rng, 0)
    x = x.astype(np.float32)
    ours, theirs = [], []
    for seed in range(20):
        order = rng.permutation(len(y))
        train, test = order[:900], order[900:]
        _, probability, _ = load("numba_histogram").function(
            x[train], y[train], x[test], 10, 40, 6, "per_split", True, seed
        )
        model = RandomForestClassifier(40, max_features=6, random_state=seed).fit(x[train], y[train])
        ours.append(float(np.mean(probability.argmax(axis=1) == y[test])))
        theirs.append(float(np.mean(model.predict(x[test]) == y[test])))
    differences = 100 * (np.array(ours) - np.array(theirs))
    margin = 1.729 * differences.std(ddof=1) / math.sqrt(20)  # Student's 95 % quantile, 19 degrees of freedom
    assert differences.mean() - margin > -0.5
    assert differences.mean() + margin < 0.5
