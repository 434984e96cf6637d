"""Ensembles: combinations by hand, members that are awkward, forms against each other, and answers that must fail."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from harness.contract import Implementation
from suites.ensembles.data import MAKERS, REAL, friedman1_mean
from suites.ensembles.dissecting import jackknife, shares
from suites.ensembles.judging import measure_errors
from suites.ensembles.members import FACTORIES, make_member
from suites.ensembles.probes import PROBES, majority_accuracy
from suites.ensembles.suite import SHAPES, SUITE, fold_numbers, make_inputs

FORMS = ("plain_loop", "joblib_threads")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a worker of one thread; threads of libraries only wait for each other on such small data."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with threadpool_limits(1):
        yield


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.ensembles.{name}").ensemble
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    arguments = dict(inputs)
    if load(name).arrays == "torch":
        import torch

        arguments = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    out_of_fold, scores = load(name).function(**arguments)
    return {"out_of_fold": np.asarray(out_of_fold), "scores": np.asarray(scores)}


def drawn(seed: int = 3, **case: Any) -> dict[str, Any]:
    return make_inputs(np.random.default_rng(seed), **case)


def worst(found: dict[str, np.ndarray], inputs: dict[str, Any], kind: str = "exact") -> float:
    return max(measure_errors(found, dict(SUITE.reference(**inputs)), inputs, kind).values())


class Constant:
    """A member that gives fixed shares, of the classes named, to every row."""

    def __init__(self, shares: list[float], classes: list[int]) -> None:
        self._shares, self.classes_ = np.array(shares), np.array(classes)

    def fit(self, x: np.ndarray, y: np.ndarray) -> Constant:
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.repeat(self.classes_[self._shares.argmax()], len(x))

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self._shares, (len(x), 1))


def voted(method: str, members: list[Constant]) -> np.ndarray:
    counters = load("plain_loop").counters
    assert counters is not None
    inputs = {
        "x_train": np.zeros((4, 1)),
        "y_train": np.arange(4) % 3,
        "method": method,
        "members": "+".join(str(i) for i in range(len(members))),
        "classes": 3,
        "seeds": np.zeros(len(members), dtype=np.int64),
        "bootstraps": np.zeros((0, 4), dtype=np.int64),
        "folds": np.arange(4),
    }
    scores = counters(inputs, lambda name, seed: members[int(name)]).fit().scores(np.zeros((1, 1)))
    assert isinstance(scores, np.ndarray)
    return scores[0]


def test_votes_by_hand() -> None:
    """Two lukewarm votes for class 1 beat a sure one for class 2 by number, not by shares; ties go to the lowest."""
    lukewarm, sure = Constant([0.2, 0.5, 0.3], [0, 1, 2]), Constant([0.0, 0.1, 0.9], [0, 1, 2])
    assert voted("hard_vote", [lukewarm, lukewarm, sure]).tolist() == [0, 1, 0]
    assert voted("soft_vote", [lukewarm, lukewarm, sure]) == pytest.approx([0.4 / 3, 1.1 / 3, 1.5 / 3])
    assert voted("hard_vote", [sure, lukewarm]).tolist() == [0, 1, 0]


def test_members_of_other_class_orders_and_of_fewer_classes_are_aligned() -> None:
    """Columns go by class number; a class that a member never saw gets nothing from it."""
    turned, partial = Constant([0.7, 0.3], [2, 0]), Constant([1.0], [1])
    assert voted("soft_vote", [turned, partial]) == pytest.approx([0.15, 0.5, 0.35])


def test_a_member_that_fails_is_named() -> None:
    from impls.building_blocks.ensembles.fitting import MemberError

    counters = load("plain_loop").counters
    assert counters is not None
    inputs = drawn(data="moons", n=40, method="soft_vote", members="tree4+naive_bayes")

    def make(name: str, seed: int) -> Any:
        if name == "naive_bayes":
            raise ArithmeticError("no such luck")
        return make_member(name, seed)

    with pytest.raises(MemberError, match=r"'naive_bayes'.*no such luck"):
        counters(inputs, make).fit()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("method", ["hard_vote", "soft_vote", "stacking", "blending"])
def test_both_forms_give_the_reference_bit_by_bit(name: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two workers, trees and naive Bayes; unbalanced folds."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    inputs = drawn(data="sorted_classes", n=60, method=method, members="tree4+naive_bayes", folds="unbalanced")
    found, expected = run(name, inputs), SUITE.reference(**inputs)
    assert np.array_equal(found["out_of_fold"], expected["out_of_fold"])
    assert np.array_equal(found["scores"], expected["scores"])


def test_processes_give_what_the_loop_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    from joblib.externals.loky import get_reusable_executor

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    try:
        for method, members in (("bagging", "tree4"), ("adaboost", "stump")):
            inputs = drawn(data="moons", n=60, method=method, members=members, count=5)
            assert np.array_equal(run("joblib_processes", inputs)["scores"], run("plain_loop", inputs)["scores"])
    finally:
        get_reusable_executor().shutdown(wait=True)


def test_no_row_of_the_table_comes_from_a_member_that_saw_it() -> None:
    """A nearest neighbour would know its own rows: out of fold it is wrong on random labels half of the time."""
    rng = np.random.default_rng(0)
    counters = load("plain_loop").counters
    assert counters is not None
    inputs = drawn(data="moons", n=200, method="stacking", members="tree")
    inputs["y_train"] = rng.integers(0, 2, size=200)
    honest, leaky = (counters(inputs, make_member, leaky).fit().out_of_fold[:, 0] for leaky in (False, True))
    assert np.mean((honest > 0.5) == inputs["y_train"]) < 0.65
    assert np.array_equal(leaky > 0.5, inputs["y_train"] == 1)


@pytest.mark.parametrize("rows", [40, 5_000])
def test_batched_ridges_are_the_members_one_by_one(rows: int) -> None:
    """Both below and above the number of rows that are summed at once; features far from zero."""
    inputs = drawn(data="friedman1", n=rows, method="bagging", members="ridge", count=7)
    inputs["x_train"] = inputs["x_train"] * 3 + 50
    inputs["x_test"] = inputs["x_test"] * 3 + 50
    assert worst(run("torch_batched_ridge", inputs), inputs) <= 1


def test_compiled_boosting_is_the_reference() -> None:
    inputs = drawn(data="friedman1", n=150, method="gradient_boosting", members="regression_stump", count=60)
    assert worst(run("numba_boosting", inputs), inputs) <= 1
    assert worst(run("plain_loop", inputs), inputs) <= 1


@pytest.mark.parametrize(
    ("method", "members", "data"),
    [
        ("hard_vote", "tree4+naive_bayes+knn5", "wine"),
        ("soft_vote", "tree4+naive_bayes+knn5", "wine"),
        ("stacking", "logistic+knn5+tree+naive_bayes", "iris"),
        ("stacking", "logistic+knn5+tree+naive_bayes", "breast_cancer"),
        ("adaboost", "stump", "breast_cancer"),
    ],
)
def test_scikit_learn_combines_as_we_do(method: str, members: str, data: str) -> None:
    inputs = drawn(data=data, method=method, members=members, count=20)
    assert worst(run("sklearn_ensembles", inputs), inputs, "library") <= 1


@pytest.mark.parametrize("kind", ["exact", "library"])
@pytest.mark.parametrize(
    ("method", "members", "data"),
    [("bagging", "tree4", "moons"), ("bagging", "ridge", "friedman1"), ("stacking", "tree4", "moons")],
)
def test_wrong_scores_fail_for_every_kind(kind: str, method: str, members: str, data: str) -> None:
    inputs = drawn(data=data, n=120, method=method, members=members, count=8)
    expected = dict(SUITE.reference(**inputs))
    scores = expected["scores"]
    rng = np.random.default_rng(0)
    wrong = {
        "zeros": np.zeros_like(scores),
        "shuffled": rng.permutation(scores),
        "turned round": scores[:, ::-1] if scores.shape[1] > 1 else -scores,
        "not a number": np.where(np.arange(len(scores))[:, None] == 3, np.nan, scores),
    }
    assert max(measure_errors(expected, expected, inputs, kind).values()) == 0
    for what, answer in wrong.items():
        assert not max(measure_errors({**expected, "scores": answer}, expected, inputs, kind).values()) <= 1, what


def test_every_member_matters_to_the_exact_kind() -> None:
    """One seed, one row of one bootstrap sample or one fold changed is no rounding error."""
    inputs = drawn(data="moons", n=120, method="bagging", members="tree", count=5)
    fewer = {**inputs, "seeds": inputs["seeds"][:4], "bootstraps": inputs["bootstraps"][:4]}
    assert worst(run("plain_loop", fewer), inputs) > 1
    stacked = drawn(data="moons", n=60, method="stacking", members="naive_bayes")
    moved = {**stacked, "folds": np.roll(stacked["folds"], 1)}
    assert worst(run("plain_loop", moved), stacked) > 1


def test_fit_counts_are_those_of_the_definition() -> None:
    def count(method: str, members: str, number: int) -> Any:
        return PROBES["fit_counts"].measure(
            np.random.default_rng(0), load("plain_loop"), method=method, members=members, count=number
        )

    assert count("stacking", "tree4+naive_bayes", 2) == {"fits": [13.0], "meta_fits": [1.0], "critical_path": [2.0]}
    assert count("bagging", "tree4", 6) == {"fits": [6.0], "meta_fits": [0.0], "critical_path": [1.0]}
    assert count("adaboost", "stump", 6) == {"fits": [6.0], "meta_fits": [0.0], "critical_path": [6.0]}
    assert count("gradient_boosting", "regression_stump", 4)["critical_path"] == [4.0]


def test_independent_voters() -> None:
    assert majority_accuracy(0.6, 3) == pytest.approx(0.648)
    assert majority_accuracy(0.6, 39) < 0.9 <= majority_accuracy(0.6, 41)
    values = PROBES["voters"].measure(np.random.default_rng(1), None)
    assert values["voters_for_90_percent"] == [41.0]
    assert abs(np.mean(values["simulated_less_exact_pt"])) < 1


def test_variance_and_bias_of_known_predictions() -> None:
    """Predictions of bias 2 and variance 9, of which the squared mean of ten would hold another 0.9."""
    rng = np.random.default_rng(2)
    target = rng.normal(size=4_000)
    found = shares(target + 2 + 3 * rng.normal(size=(10, 4_000)), target)
    assert found["variance"] == pytest.approx(9, rel=0.03)
    assert found["squared_bias"] == pytest.approx(4, rel=0.06)


def test_pseudo_values_of_a_mean_are_its_values() -> None:
    values = np.array([1.0, 4.0, 7.0])
    assert jackknife(lambda kept: float(values[kept].mean()), 3) == pytest.approx([1, 4, 7])


@pytest.mark.parametrize("probe", ["majority", "stacking"])
def test_probes_score_every_fold(probe: str) -> None:
    extra = {"knn": "knn5"} if probe == "majority" else {}
    values = PROBES[probe].measure(np.random.default_rng(0), load("plain_loop"), data="iris", repeats=1, **extra)
    assert {len(series) for series in values.values()} == {5}
    if probe == "stacking":
        assert np.mean(values["leaky_gap_pt"]) > np.mean(values["honest_gap_pt"])
    else:
        assert all(h >= b for h, b in zip(values["hindsight_pt"], values["best_pt"], strict=True))


def test_bias_and_variance_of_few_training_sets() -> None:
    values = PROBES["bias_variance"].measure(np.random.default_rng(0), load("plain_loop"), training_sets=3)
    assert len(values["variance_bagged_over_tree"]) == 3
    assert values["variance_bagged"][0] < values["variance_tree"][0]
    assert values["squared_bias_boosted"][0] < values["squared_bias_stump"][0]


def test_folds_hold_every_row_once() -> None:
    rng = np.random.default_rng(0)
    assert np.bincount(fold_numbers(rng, 23, 5)).tolist() == [5, 5, 5, 4, 4]
    assert np.bincount(fold_numbers(rng, 40, 5, "unbalanced"))[0] > 20
    assert fold_numbers(rng, 6, 3, "in_order").tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="not 'odd'"):
        fold_numbers(rng, 6, 3, "odd")


@pytest.mark.parametrize("data", REAL)
def test_real_tables(data: str) -> None:
    x, y = MAKERS[data](np.random.default_rng(0), 0)
    assert np.array_equal(x, x.astype(np.float32))
    assert set(np.unique(y)) == set(range(y.max() + 1))
    if data in SHAPES:
        assert (round(0.8 * len(y)), x.shape[1]) == SHAPES[data]


def test_friedman1_has_noise_of_one_around_its_mean() -> None:
    x, y = MAKERS["friedman1"](np.random.default_rng(0), 20_000)
    assert np.std(y - friedman1_mean(x)) == pytest.approx(1, rel=0.02)


def test_members_are_made_afresh() -> None:
    for name in FACTORIES:
        assert make_member(name, 1) is not make_member(name, 1)
    with pytest.raises(KeyError):
        make_member("oracle", 0)
