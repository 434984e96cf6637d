"""Estimation: answers by hand, estimates that do not exist, samplers' diagnostics, and answers that must fail."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from impls.building_blocks.estimation.compiled_metropolis import CODES, log_density
from impls.building_blocks.estimation.diagnostics import bulk_and_tail, effective_draws, sample_until, split_rhat
from impls.building_blocks.estimation.grids import bulk, summarise
from impls.building_blocks.estimation.lbfgs import minimise
from impls.building_blocks.estimation.targets import Target
from suites.estimation.judging import measure_errors
from suites.estimation.probes import PROBES
from suites.estimation.suite import ROWS_PER_COEFFICIENT, SUITE, check_case, make_inputs

OPTIMISERS = ("newton", "lbfgs")
SAMPLERS = ("metropolis_python", "metropolis_numba", "hmc_torch")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.estimation.{name}").estimate
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """Both outputs of one implementation or of the reference."""
    if name == "reference":
        return dict(SUITE.reference(**inputs))
    implementation, arguments = load(name), dict(inputs)
    if implementation.arrays == "torch":
        import torch

        arguments = {
            key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in inputs.items()
        }
    return dict(zip(("centre", "spread"), implementation.function(**arguments), strict=True))


def given_data(
    model: str, goal: str, y: list[float], prior: list[float], x: Any = None, **changes: Any
) -> dict[str, Any]:
    return {
        "x": np.empty((len(y), 0)) if x is None else np.array(x, dtype=np.float64),
        "y": np.array(y, dtype=np.float64),
        "model": model,
        "goal": goal,
        "prior": np.array(prior),
        "unpenalised": 0,
        "effective": 200,
        "seed": 1,
        **changes,
    }


def drawn(seed: int = 11, **case: Any) -> dict[str, Any]:
    return make_inputs(np.random.default_rng(seed), **case)


@pytest.mark.parametrize("name", ["reference", "closed_form"])
def test_conjugate_answers_by_hand(name: str) -> None:
    """Three of four under Beta(2, 3): 3/4, 4/7 and Beta(5, 4). Values 0, 2, 4: mean 2, variance 8/3."""
    y = [1, 0, 1, 1]
    assert run(name, given_data("bernoulli", "mle", y, [2, 3]))["centre"] == pytest.approx([0.75])
    assert run(name, given_data("bernoulli", "map", y, [2, 3]))["centre"] == pytest.approx([4 / 7])
    posterior = run(name, given_data("bernoulli", "posterior", y, [2, 3]))
    assert posterior["centre"] == pytest.approx([5 / 9])
    assert posterior["spread"][0] == pytest.approx([np.sqrt(20 / 810)])
    assert run(name, given_data("gaussian", "mle", [0, 2, 4], [0, 1, 2, 1]))["centre"] == pytest.approx([2, 8 / 3])
    # kappa 4, mu 6/4, alpha 7/2, beta 1 + (8 + 1 * 3 * 4 / 4) / 2 = 13/2: means 3/2, 13/5; mode 13/10.
    both = run(name, given_data("gaussian", "posterior", [0, 2, 4], [0, 1, 2, 1]))["centre"]
    assert both == pytest.approx([1.5, 2.6])
    assert run(name, given_data("gaussian", "map", [0, 2, 4], [0, 1, 2, 1]))["centre"] == pytest.approx([1.5, 1.3])


@pytest.mark.parametrize("name", ["reference", "closed_form", "newton", "sklearn_ridge"])
def test_ridge_by_hand(name: str) -> None:
    """One feature 1, 2 with targets 2, 4 and a penalty of 5: 10 / (5 + 5)."""
    inputs = given_data("linear", "map", [2, 4], [10.0, 2.0], [[1], [2]])
    assert run(name, inputs)["centre"] == pytest.approx([1.0])


@pytest.mark.parametrize("name", ["reference", *OPTIMISERS, "statsmodels_logit", "sklearn_logistic"])
def test_logistic_regression_by_hand(name: str) -> None:
    """A column of ones with three of four positive: the log-odds, ln 3."""
    inputs = given_data("logistic", "mle", [1, 1, 0, 1], [1.0], np.ones((4, 1)))
    assert run(name, inputs)["centre"] == pytest.approx([np.log(3)])


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        *(
            (name, given_data("bernoulli", "mle", [], [1, 1]), "no rows") for name in ("reference", "closed_form")
        ),
        *(
            (name, given_data("bernoulli", "map", [1, 1], [0.5, 1]), "no mode inside")
            for name in ("reference", "closed_form")
        ),
        *((name, drawn(model="logistic", goal="mle", n=40, d=3, data="separable"), "separa")
          for name in ("reference", *OPTIMISERS)),
        *((name, drawn(model="linear", goal="mle", n=40, d=3, data="collinear"), "rank|collinear")
          for name in ("reference", "closed_form", "newton")),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_refused(name: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(name, inputs)


def test_an_unpenalised_intercept_reaches_the_share_of_the_classes() -> None:
    """With a tight prior on the rest, a free intercept gives the log-odds of the classes, a penalised one nearly 0."""
    inputs = drawn(model="logistic", goal="map", n=200, d=3, tau2=1e-8)
    odds = np.log(inputs["y"].mean() / (1 - inputs["y"].mean()))
    for name in ("reference", *OPTIMISERS, "sklearn_logistic"):
        assert run(name, inputs)["centre"][0] == pytest.approx(odds, rel=1e-4)
        assert abs(run(name, {**inputs, "unpenalised": 0})["centre"][0]) < 1e-4


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1), n=st.integers(30, 200), d=st.integers(1, 6), tau2=st.sampled_from([1e-3, 1.0, 1e3])
)
def test_optimisers_agree_with_the_reference(seed: int, n: int, d: int, tau2: float) -> None:
    inputs = drawn(seed, model="logistic", goal="map", n=n, d=d, tau2=tau2, penalise_intercept=True)
    expected = run("reference", inputs)
    for name in OPTIMISERS:
        assert measure_errors(run(name, inputs), expected, inputs, "exact")["centre"] <= 1, name


def test_lbfgs_reaches_the_bottom_of_a_narrow_valley() -> None:
    """Rosenbrock's function, whose minimum is at (1, 1)."""

    def rosenbrock(w: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = 1 - w[0], w[1] - w[0] ** 2
        return float(a * a + 100 * b * b), np.array([-2 * a - 400 * w[0] * b, 200 * b])

    assert minimise(rosenbrock, np.array([-1.2, 1.0]), 1e-10) == pytest.approx([1, 1], abs=1e-9)
    with pytest.raises(ValueError, match="still"):
        minimise(lambda w: (float(-w[0]), np.array([-1.0])), np.zeros(1), 1e-10)


MODELS: tuple[dict[str, Any], ...] = (
    {"model": "bernoulli", "n": 20},
    {"model": "gaussian", "n": 20},
    {"model": "linear", "n": 20, "d": 3},
    {"model": "logistic", "n": 20, "d": 3},
)


@pytest.mark.parametrize("case", MODELS, ids=lambda case: str(case["model"]))
def test_log_densities_have_their_gradients_and_agree_in_all_back_ends(case: dict[str, Any]) -> None:
    import torch

    inputs = drawn(goal="map", **case)
    x, y, model, prior = (inputs[name] for name in ("x", "y", "model", "prior"))
    target = Target(np, x, y, model, prior)
    other = Target(torch, torch.from_numpy(x), torch.from_numpy(y), model, prior)
    points = np.random.default_rng(0).normal(size=(5, target.d))
    values, gradients = target.with_gradient(points)
    for found, wanted in zip(other.with_gradient(torch.from_numpy(points)), (values, gradients), strict=True):
        assert found.numpy() == pytest.approx(wanted, rel=1e-12)
    sums = np.array([len(y), y.sum(), (y * y).sum()])
    compiled = [log_density.py_func(CODES[model], point, x, y, prior, sums) for point in points]
    assert np.diff(compiled) == pytest.approx(np.diff(values), rel=1e-10)
    step = 1e-6 * np.eye(target.d)
    for j in range(target.d):
        slope = (target.log_density(points + step[j]) - target.log_density(points - step[j])) / 2e-6
        assert gradients[:, j] == pytest.approx(slope, rel=1e-5, abs=1e-5)


def test_a_density_in_other_coordinates_pays_for_the_change() -> None:
    """The grid's mean of a share is that of its Beta distribution only if the log-odds' density has the Jacobian."""
    target = Target(np, np.empty((4, 0)), np.array([1.0, 1, 1, 0]), "bernoulli", np.array([2.0, 3.0]))
    places = bulk(lambda u: target.log_density(u[:, None]), 0.0, 1001)
    found = summarise(places, target.log_density(places[:, None]), target.constrain)
    assert found[0] == pytest.approx(5 / 9, abs=1e-9)


def test_effective_draws_of_known_processes() -> None:
    """Independent draws count in full, those of an autoregressive process by (1 - r)/(1 + r)."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(4, 20_000))
    assert effective_draws(noise) == pytest.approx(80_000, rel=0.1)
    chain = np.zeros_like(noise)
    for turn in range(1, noise.shape[1]):
        chain[:, turn] = 0.8 * chain[:, turn - 1] + noise[:, turn]
    assert effective_draws(chain) == pytest.approx(80_000 * 0.2 / 1.8, rel=0.15)
    assert split_rhat(chain) < 1.01
    assert split_rhat(chain + np.array([[0.0], [0.0], [0.0], [3.0]])) > 1.1
    assert split_rhat(chain + np.linspace(0, 5, 20_000)) > 1.1
    assert effective_draws(np.ones((4, 100))) == 1


def test_sampling_goes_on_until_every_coordinate_has_enough() -> None:
    rng = np.random.default_rng(8)
    asked: list[int] = []

    def draw(count: int) -> np.ndarray:
        asked.append(count)
        return rng.normal(size=(4, count, 2))

    draws = sample_until(draw, 3_000, 100)
    assert len(asked) > 1
    assert draws.shape == (4, sum(asked), 2)
    assert bulk_and_tail(draws)[0] >= 3_000


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_find_a_correlated_normal_distribution(name: str) -> None:
    inputs = drawn(model="linear", goal="posterior", n=4, d=4, data="autoregressive", effective=300)
    expected = run("reference", inputs)
    assert expected["spread"][0] == pytest.approx(np.ones(4), rel=1e-6)
    errors = measure_errors(run(name, inputs), expected, inputs, "sampler")
    assert max(errors.values()) <= 1


def test_wrong_answers_fail() -> None:
    """A mode in place of a mean, a variance in place of a deviation, a prior left out, quantiles of another level."""
    inputs = drawn(model="bernoulli", goal="posterior", n=10, effective=5_000)
    expected = run("reference", inputs)
    a, b = inputs["y"].sum() + 2, 10 - inputs["y"].sum() + 5
    wrong = {
        "centre": [expected["centre"] * 0 + (a - 1) / (a + b - 2), inputs["y"].mean(keepdims=True)],
        "spread": [
            np.concatenate([expected["spread"][:1] ** 2, expected["spread"][1:]]),
            np.concatenate([expected["spread"][:1], expected["spread"][1:][::-1]]),
        ],
    }
    for kind in ("exact", "grid", "sampler"):
        assert max(measure_errors(expected, expected, inputs, kind).values()) == 0
        for output, answers in wrong.items():
            for answer in answers:
                assert measure_errors({**expected, output: answer}, expected, inputs, kind)[output] > 1


def test_the_default_of_scikit_learn_is_no_maximum_likelihood() -> None:
    """C = 1 is MAP with a prior variance of 1: not what the contract calls mle, but its map."""
    from sklearn.linear_model import LogisticRegression

    inputs = drawn(model="logistic", goal="mle", n=100, d=3)
    default = LogisticRegression(tol=1e-12, solver="newton-cholesky").fit(inputs["x"][:, 1:], inputs["y"])
    answer = {"centre": np.concatenate([default.intercept_, default.coef_[0]]), "spread": np.empty((0, 3))}
    assert measure_errors(answer, run("reference", inputs), inputs, "exact")["centre"] > 1e3
    as_map = {**inputs, "goal": "map", "prior": np.array([1.0]), "unpenalised": 1}
    assert measure_errors(answer, run("reference", as_map), as_map, "exact")["centre"] <= 1


@pytest.mark.parametrize("n", [5, 30, 1_000])
def test_the_ratio_of_errors_is_the_formula_s(n: int) -> None:
    """Uniform prior: n (n v + 1 - 4 v) / (v (n + 2)^2) with v = theta (1 - theta)."""
    values = PROBES["fixed_share"].measure(np.random.default_rng(0), load("closed_form"), a=1.0, b=1.0, n=n)
    for theta in (0.5, 0.35, 0.2, 0.12, 0.05, 0.01):
        v = theta * (1 - theta)
        assert values[f"ratio_{theta:g}"] == pytest.approx([n * (n * v + 1 - 4 * v) / (v * (n + 2) ** 2)])
        assert (values[f"ratio_{theta:g}"][0] < 1) == (v > n / (8 * n + 4))


def test_the_risk_without_a_mean_is_two() -> None:
    """At 0 the James-Stein estimator has the risk d - (d - 2)^2 / (d - 2) = 2; in two dimensions it is ML."""
    probe = PROBES["shrinkage"].measure
    for d in (3, 10):
        found = probe(np.random.default_rng(1), load("closed_form"), d=d, length2=0.0)["loss"]
        assert np.mean(found) == pytest.approx(2 / d, rel=0.03)
    assert probe(np.random.default_rng(1), load("closed_form"), d=2, length2=1.0)["control"] == [0.0]


def test_checked_cases_are_small() -> None:
    for case in SUITE.cases:
        checked = check_case(case)
        n, d = int(checked["n"]), max(1, int(checked.get("d", 0)))
        assert n * d**2 <= 1.1e6 or (checked["goal"] == "mle" and n <= ROWS_PER_COEFFICIENT * d)
