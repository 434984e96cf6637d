"""AdaBoost: rounds by hand, ties, draws, batches against single sets, and answers that must fail."""

from __future__ import annotations

import importlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from suites.adaboost.data import MAKERS, REAL, split
from suites.adaboost.draws import draw_counts, sorted_uniforms
from suites.adaboost.judging import first_ambiguous_round, measure_errors
from suites.adaboost.probes import PROBES
from suites.adaboost.replay import least_margins, replay, staged_errors
from suites.adaboost.suite import REAL_SHAPES, SUITE, make_inputs

REWEIGHTING = ("python_loops", "numpy_sort", "numpy_presorted", "numba_presorted", "torch_batched")
RESAMPLING = ("numpy_resample", "numba_resample")
NAMES = ("features", "thresholds", "polarities", "alphas", "errors", "test_scores")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.adaboost.{name}").adaboost
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """All outputs of one implementation or the reference, as arrays."""
    if name == "reference":
        return {key: np.asarray(value) for key, value in SUITE.reference(**inputs).items()}
    implementation = load(name)
    arguments = dict(inputs)
    for key in ("x_train", "y_train", "x_test"):
        if implementation.arrays == "python":
            arguments[key] = inputs[key].tolist()
        elif implementation.arrays == "torch":
            import torch

            arguments[key] = torch.from_numpy(inputs[key])
    _, boosted, scores = implementation.function(**arguments)
    return dict(zip(NAMES, (np.asarray(each) for each in (*boosted, scores)), strict=True))


def given_rows(x: list[list[float]], y: list[int], rounds: int = 2, x_test: list[list[float]] | None = None) -> Any:
    return {
        "x_train": np.array(x, dtype=np.float64),
        "y_train": np.array(y, dtype=np.int8),
        "x_test": np.array(x_test or x, dtype=np.float64),
        "rounds": rounds,
        "mode": "reweight",
        "seed": 1,
    }


def drawn(data: str, seed: int = 11, **case: Any) -> dict[str, Any]:
    return make_inputs(np.random.default_rng(seed), data=data, **case)


@pytest.mark.parametrize("name", ["reference", *REWEIGHTING])
def test_two_rounds_by_hand(name: str) -> None:
    """Labels - + - + + at 0, 1, 2, 3, 5: the cut at 0.5 misses one of five, so e = 1/5 and alpha = ln 2.

    Then the row at 2 weighs 1/2 and the others 1/8 each. The cut at 2.5 leaves the row at 1 wrong: e = 1/8.
    """
    inputs = given_rows([[0], [1], [2], [3], [5]], [-1, 1, -1, 1, 1], x_test=[[0.5], [2], [9]])
    found = run(name, inputs)
    assert found["thresholds"].tolist() == [0.5, 2.5]
    assert found["polarities"].tolist() == [1, 1]
    assert found["errors"] == pytest.approx([1 / 5, 1 / 8], abs=1e-14)
    second = math.log(7) / 2
    assert found["alphas"] == pytest.approx([math.log(2), second], abs=1e-13)
    assert found["test_scores"] == pytest.approx([-math.log(2) - second, math.log(2) - second, math.log(2) + second])


@pytest.mark.parametrize("name", ["reference", *REWEIGHTING])
def test_ties_go_to_the_lowest_feature_the_lowest_threshold_and_polarity_1(name: str) -> None:
    """Both features tell the classes apart equally badly, and so do both ends of the first."""
    x = [[0, 0], [1, 1], [2, 2], [3, 3]]
    found = run(name, given_rows(x, [-1, 1, -1, 1], rounds=1))
    assert (found["features"][0], found["thresholds"][0], found["polarities"][0]) == (0, 0.5, 1)
    mirrored = run(name, given_rows(x, [1, -1, 1, -1], rounds=1))
    assert (mirrored["features"][0], mirrored["thresholds"][0], mirrored["polarities"][0]) == (0, 0.5, -1)


@pytest.mark.parametrize("name", ["reference", *REWEIGHTING])
def test_stops_where_the_suite_says(name: str) -> None:
    """A perfect stump is the last one, with the weight of half a wrong row; one no better than chance is dropped."""
    perfect = run(name, given_rows([[0], [1], [2]], [1, 1, -1], rounds=3))
    assert perfect["features"].tolist() == [0, -1, -1]
    assert perfect["polarities"].tolist() == [-1, 0, 0]
    assert perfect["alphas"] == pytest.approx([math.log(5) / 2, 0, 0])
    useless = run(name, given_rows([[4], [4], [4], [4]], [1, 1, -1, -1]))
    assert useless["features"].tolist() == [-1, -1]
    assert useless["errors"].tolist() == [0.5, 0.5]
    assert not useless["test_scores"].any()
    constant = run(name, given_rows([[4], [4], [4]], [1, -1, -1]))
    assert constant["thresholds"].tolist() == [-math.inf, 0.0]
    assert constant["polarities"].tolist() == [-1, 0]


@pytest.mark.parametrize("name", RESAMPLING)
def test_thresholds_of_a_sample_lie_between_the_values_that_were_drawn(name: str) -> None:
    """A value of the training set that was not drawn is unknown to the stump."""
    inputs = drawn("classification", n=12, rounds=4, mode="resample")
    found = run(name, inputs)
    counts = draw_counts(np.full(12, 1 / 12), sorted_uniforms(np.random.default_rng(inputs["seed"]), 12))
    values = np.unique(inputs["x_train"][counts > 0, found["features"][0]])
    assert not counts.all()
    assert np.min(np.abs((values[1:] + values[:-1]) / 2 - found["thresholds"][0])) < 1e-12


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    data=st.sampled_from(["levels", "opposite_labels", "repeated_feature", "classification"]),
    n=st.integers(1, 40),
    d=st.integers(4, 11),
)
def test_every_search_finds_the_stumps_of_the_reference(seed: int, data: str, n: int, d: int) -> None:
    """On small tables full of ties, in both modes; features that do not fill a group of four included."""
    for mode, names in (("reweight", REWEIGHTING), ("resample", RESAMPLING)):
        inputs = make_inputs(np.random.default_rng(seed), data=data, n=n, d=d, rounds=6, mode=mode)
        expected = run("reference", inputs)
        for name in names:
            errors = measure_errors(run(name, inputs), expected, inputs, "exact")
            assert max(errors.values()) <= 1, (name, errors)


def test_a_batch_is_its_sets_one_by_one() -> None:
    """Three training sets at once, one of which stops early, give what each gives alone."""
    import torch

    from impls.building_blocks.adaboost.batched import boost, presort, score

    sets = [drawn(data, n=40, d=4) for data in ("levels", "perfect", "opposite_labels")]
    x, y, fresh = (torch.from_numpy(np.stack([each[key] for each in sets])) for key in ("x_train", "y_train", "x_test"))
    together = boost(presort(x, y), 10)
    scores = score(together, fresh)
    assert (together[0][1] == -1).any()
    for i in range(len(sets)):
        alone = boost(presort(x[i : i + 1], y[i : i + 1]), 10)
        assert all(torch.equal(one[0], many[i]) for one, many in zip(alone, together, strict=True))
        assert torch.equal(score(alone, fresh[i : i + 1])[0], scores[i])


def test_scan_in_threads_and_alone_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    from impls.building_blocks.adaboost import scan as module
    from impls.building_blocks.trees.presorted import presort

    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(size=(200, 5)), rng.integers(0, 3, size=(200, 6))], axis=1)
    signed = rng.normal(size=200)
    columns = module.mark(*presort(x))
    ends = [np.empty((2, 11)) for _ in range(2)]
    module.scan(columns, signed, *ends[0])
    module._scan_in_threads(columns, signed, *ends[1])
    assert np.array_equal(*ends)
    for f, column in enumerate(x.T):
        order = np.argsort(column, kind="stable")
        sums = np.cumsum(signed[order])[:-1][np.diff(column[order]) > 0]
        assert ends[0][:, f] == pytest.approx([sums.min(), sums.max()])


def test_a_million_rows_whose_sums_round_by_more_than_a_tie() -> None:
    """The best place of a scan is found again whatever its sums were rounded to."""
    rng = np.random.default_rng(6)
    x = rng.random((1_000_000, 4)).astype(np.float32).astype(np.float64)
    y = np.where(rng.random(1_000_000) < 0.3 + 0.4 * x[:, 2], 1, -1).astype(np.int8)
    _, boosted, _ = load("numba_presorted").function(x, y, x[:1], 3, "reweight", 0)
    outputs = dict(zip(NAMES, boosted, strict=False))
    assert outputs["features"][0] == 2
    assert outputs["errors"] == pytest.approx(replay(outputs, x, y).errors, abs=1e-10)


def test_uniforms_are_order_statistics_and_invert_the_weights() -> None:
    rng = np.random.default_rng(0)
    many = np.array([sorted_uniforms(rng, 9) for _ in range(4_000)])
    assert np.all(np.diff(many, axis=1) >= 0)
    assert many.mean(axis=0) == pytest.approx(np.arange(1, 10) / 10, abs=0.012)
    assert many.var(axis=0) == pytest.approx(np.arange(1, 10) * np.arange(9, 0, -1) / 1_100, rel=0.1)
    assert draw_counts(np.array([0.5, 0.0, 0.25, 0.25]), np.array([0.1, 0.49, 0.5, 0.9])).tolist() == [2, 0, 1, 1]


def test_scikit_learn_has_twice_the_weights_and_the_same_scores() -> None:
    inputs = drawn("breast_cancer", rounds=20)
    found = run("sklearn_adaboost", inputs)
    expected = run("reference", inputs)
    errors = measure_errors(found, expected, inputs, "library")
    assert max(errors.values()) <= 1
    doubled = {**found, "alphas": 2 * found["alphas"], "test_scores": 2 * found["test_scores"]}
    assert measure_errors(doubled, expected, inputs, "library")["alphas"] > 1


@pytest.mark.parametrize("kind", ["exact", "library"])
@pytest.mark.parametrize("mode", ["reweight", "resample"])
def test_wrong_answers_fail_for_every_kind(kind: str, mode: str) -> None:
    inputs = drawn("levels", n=80, mode=mode, rounds=8)
    expected = run("reference", inputs)
    assert max(measure_errors(expected, expected, inputs, kind).values()) < 1e-3
    wrong: dict[str, dict[str, np.ndarray]] = {
        "another polarity": {"polarities": -expected["polarities"]},
        "another feature": {"features": (expected["features"] + 1) % 5},
        "thresholds at zero": {"thresholds": np.zeros(8)},
        "a feature that is not there": {"features": expected["features"] + 5},
        "a polarity of two": {"polarities": 2 * expected["polarities"]},
        "unweighted errors": {"errors": np.full(8, 0.3)},
        "weights off by a millionth": {"alphas": expected["alphas"] * (1 + 1e-6)},
        "scores off by a millionth": {"test_scores": expected["test_scores"] * (1 + 1e-6)},
        "a round left out": {name: np.roll(expected[name], 1) for name in NAMES[:5]},
        "not a number": {"alphas": np.where(np.arange(8) == 3, np.nan, expected["alphas"])},
    }
    for what, change in wrong.items():
        assert not max(measure_errors({**expected, **change}, expected, inputs, kind).values()) <= 1, what


def test_after_a_hundred_rounds_only_what_rounding_does_not_decide_is_compared() -> None:
    """Copies of a feature are tied with it again and again, continuous features not."""
    assert first_ambiguous_round(drawn("repeated_feature", n=60, rounds=130)) < 130
    assert first_ambiguous_round(drawn("classification", n=100, rounds=130)) == 130


def test_replay_bounds_and_margins_by_hand() -> None:
    """Two stumps on three rows, with weights ln 2 and ln 3."""
    outputs = {
        "features": np.array([0, 0]),
        "thresholds": np.array([0.5, 1.5]),
        "polarities": np.array([1, 1]),
        "alphas": np.log([2.0, 3.0]),
    }
    y = np.array([-1, 1, 1])
    again = replay(outputs, np.array([[0.0], [1.0], [2.0]]), y)
    assert again.votes.tolist() == [[-1, 1, 1], [-1, -1, 1]]
    assert again.errors == pytest.approx([0, 1 / 3])
    assert again.weights[2] == pytest.approx(np.array([1, 9, 1]) / 11)
    assert staged_errors(outputs, again.votes, y).tolist() == [0, 1 / 3]
    assert least_margins(outputs, again.votes, y) == pytest.approx([1, math.log(2 / 3) / math.log(6)])


def test_the_trace_counts_what_a_wrong_weight_breaks() -> None:
    """An implementation whose alphas are too large or follow the error the wrong way is found out."""
    right = load("numba_presorted")

    def deliver(change: Any) -> Implementation:
        def function(*arguments: Any) -> Any:
            _, (*stumps, alphas, errors), scores = right.function(*arguments)
            yield None
            yield (*stumps, change(alphas, errors), errors)
            yield scores

        return replace(right, function=function)

    def trace(implementation: Implementation) -> Any:
        return PROBES["trace"].measure(np.random.default_rng(0), implementation, data="breast_cancer", rounds=30)

    plain = trace(right)
    assert plain["violations"] == plain["order_violations"] == [0.0]
    assert plain["distance_to_half"][0] < 1e-12
    assert 0 < plain["zero_error_round"][0] <= 30
    doubled = trace(deliver(lambda alphas, errors: 3 * alphas))
    assert doubled["distance_to_half"][0] > 0.1
    assert trace(deliver(lambda alphas, errors: errors))["order_violations"][0] > 10
    assert trace(deliver(lambda alphas, errors: -alphas))["violations"][0] > 10


def test_probes_pair_both_modes_on_the_same_splits() -> None:
    values = [
        PROBES["final_errors"].measure(np.random.default_rng(5), load(name), data="digits_1v7", rounds=4, seeds=2)
        for name in ("numba_presorted", "numba_resample")
    ]
    assert [len(series) for series in values[0].values()] == [2, 2, 2]
    assert values[0].keys() == values[1].keys()
    late = PROBES["late_rounds"].measure(np.random.default_rng(5), load("numba_presorted"), data="digits_1v7", seeds=2)
    assert len(late["early_pt"]) == len(late["late_pt"]) == 2 - late["never_zero"][0]


def test_noise_flips_training_labels_only() -> None:
    clean, noisy = (split(np.random.default_rng(2), "digits_3v8", 0, 0, 0, noise) for noise in (0, 20))
    assert np.mean(clean.y_train != noisy.y_train) == pytest.approx(0.2, abs=0.002)
    assert np.array_equal(clean.y_test, noisy.y_test)
    assert np.array_equal(clean.x_train, noisy.x_train)


@pytest.mark.parametrize("data", REAL)
def test_real_tables_have_the_shapes_of_the_work_model(data: str) -> None:
    assert split(np.random.default_rng(0), data, 0, 0, 0).x_train.shape == REAL_SHAPES[data]


def test_hastie_is_balanced_and_values_fit_float32() -> None:
    x, y = MAKERS["hastie"](np.random.default_rng(0), 20_000, 0)
    assert np.mean(y > 0) == pytest.approx(0.5, abs=0.015)
    assert np.array_equal(x, x.astype(np.float32))


@pytest.mark.gpu
def test_torch_batched_is_the_reference_on_a_gpu() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    inputs = drawn("classification", n=2_000, d=20)
    tensors = {k: torch.from_numpy(v).cuda() if isinstance(v, np.ndarray) else v for k, v in inputs.items()}
    _, boosted, scores = load("torch_batched").function(**tensors)
    found = dict(zip(NAMES, (each.cpu().numpy() for each in (*boosted, scores)), strict=True))
    assert max(measure_errors(found, run("reference", inputs), inputs, "exact").values()) <= 1
