"""Principal components: a table by hand, cancellation, ties, probes of known answers, and answers that must fail."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from impls.building_blocks.pca.gram import HARMLESS_MEAN, moments
from impls.building_blocks.pca.incremental import fit_incrementally
from impls.building_blocks.pca.krylov import leading_eigenpairs
from impls.building_blocks.pca.range_finder import find_range
from suites.pca.data import MAKERS, haar, singular_values, with_singular_values
from suites.pca.judging import cosine_defect, measure_errors, variances
from suites.pca.probes import PROBES
from suites.pca.suite import LARGEST_CHECKED_SVD, SUITE, check_case, make_inputs

ROOT = Path(__file__).parents[2]
OURS = (
    "numpy_power",
    "numpy_covariance",
    "numpy_svd",
    "numpy_randomised",
    "block_lanczos",
    "numpy_incremental",
    "numpy_streaming",
    "blas_streaming",
    "torch_covariance",
)
KINDS = ("svd", "gram", "randomised")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.pca.{name}").pca
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, x: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """All outputs of one implementation, whatever form its arrays have."""
    implementation = load(name)
    table: Any = x
    if implementation.arrays == "torch":
        import torch

        table = torch.from_numpy(x)
    model, scores = implementation.function(table, k, 3)
    names = ("mean", "components", "explained_variance", "scores")
    return dict(zip(names, map(np.asarray, (*model, scores)), strict=True))


def drawn(data: str = "inverse", n: int = 200, d: int = 30, k: int = 5) -> dict[str, Any]:
    return make_inputs(np.random.default_rng(11), n=n, d=d, k=k, data=data)


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_a_table_by_hand(name: str) -> None:
    """Four points at distance 10 and 5 from (1, 2) along (-3, 4)/5 and (4, 3)/5: variances 200/3 and 50/3."""
    along, across = np.array([-0.6, 0.8]), np.array([0.8, 0.6])
    x = np.array([1.0, 2.0]) + np.array([10 * along, -10 * along, 5 * across, -5 * across])
    found = SUITE.reference(x, 2, 0) if name == "reference" else run(name, x, 2)
    assert found["mean"] == pytest.approx([1, 2])
    assert found["components"] == pytest.approx(np.array([along, across]), abs=1e-7)
    assert found["explained_variance"] == pytest.approx([200 / 3, 50 / 3])
    assert found["scores"] == pytest.approx(np.array([[10, 0], [-10, 0], [0, 5], [0, -5]]), abs=1e-5)


@pytest.mark.parametrize("name", ["reference", *OURS])
def test_a_single_row_has_no_variance(name: str) -> None:
    with pytest.raises(ValueError, match="two rows"):
        SUITE.reference(np.ones((1, 3)), 1, 0) if name == "reference" else run(name, np.ones((1, 3)), 1)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_answers_fail_for_every_kind(kind: str) -> None:
    inputs = drawn()
    expected = dict(SUITE.reference(**inputs))
    x, v = inputs["x"], expected["components"]
    assert max(measure_errors(expected, expected, inputs, kind).values()) < 1e-3
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    uncentred = np.linalg.svd(x + 5, full_matrices=False)[2][:5]
    flipped = v * np.array([1, 1, -1, 1, 1])[:, None]
    other = np.concatenate([v[:4], np.linalg.svd(x - x.mean(axis=0))[2][5:6]])
    wrong = {
        "explained_variance": {
            "over n": expected["explained_variance"] * (1 - 1 / 200),
            "standard deviations": np.sqrt(expected["explained_variance"]),
            "ascending": expected["explained_variance"][::-1],
        },
        "components": {
            "turned within their span": turn @ v,
            "ascending": v[::-1],
            "one sign": flipped,
            "the sixth in place of the fifth": other,
            "about the origin": uncentred,
            "not of length 1": 1.01 * v,
            "not a number": np.where(np.arange(v.size).reshape(v.shape) == 7, np.nan, v),
        },
        "mean": {"none": np.zeros_like(expected["mean"])},
        "scores": {"uncentred": x @ v.T, "whitened": expected["scores"] / expected["scores"].std(axis=0)},
    }
    for output, answers in wrong.items():
        for what, answer in answers.items():
            error = measure_errors({**expected, output: answer}, expected, inputs, kind)[output]
            assert error > 1, f"{output}: {what}"


def test_incremental_answers_have_a_margin_only_where_something_is_dropped() -> None:
    """Variances 5 % too small pass where the batches drop something, and fail on a table of rank 3."""
    for data, passes in (("inverse", True), ("rank_three", False)):
        inputs = drawn(data)
        expected = dict(SUITE.reference(**inputs))
        answer = {**expected, "explained_variance": 0.95 * expected["explained_variance"]}
        error = measure_errors(answer, expected, inputs, "incremental")["explained_variance"]
        assert (error <= 1) == passes


def test_no_gap_leaves_the_subspace_free() -> None:
    """The first three of twenty equal variances: any three directions of their span are right, others are not."""
    inputs = drawn("step", d=40, k=3)
    expected = dict(SUITE.reference(**inputs))
    vectors = np.linalg.svd(inputs["x"] - expected["mean"])[2]

    def oriented(rows: np.ndarray) -> np.ndarray:
        return rows * np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]

    for rows, right in ((vectors[7:10], True), (vectors[18:21], False)):
        answer = {**expected, "components": oriented(rows)}
        assert (measure_errors(answer, expected, inputs, "svd")["components"] <= 1) == right


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 300), d=st.integers(1, 12), offset=st.sampled_from([0, 3, 1e6]))
def test_one_pass_moments_are_those_of_two_passes(seed: int, n: int, d: int, offset: float) -> None:
    x = np.random.default_rng(seed).normal(size=(n, d)) + offset
    found = moments(x)
    lower = np.tril(found.products)
    centred = x - x.mean(axis=0)
    assert found.mean == pytest.approx(x.mean(axis=0), rel=1e-12, abs=1e-12)
    assert lower == pytest.approx(np.tril(centred.T @ centred), rel=1e-9, abs=1e-9 * n)


def test_a_harmless_first_block_does_not_hide_a_far_mean() -> None:
    """The mean moves away after the first block: the unshifted pass notices and is done again."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40_000, 4))
    x[5_000:] += 1e7
    assert float(np.square(x[:4_096].mean(axis=0)).sum()) < HARMLESS_MEAN
    products = moments(x).products
    centred = x - x.mean(axis=0)
    assert np.tril(products) == pytest.approx(np.tril(centred.T @ centred), rel=1e-9)


@pytest.mark.parametrize(("multiplicity", "rank"), [(1, 60), (6, 60), (2, 3), (1, 0)])
def test_block_lanczos_finds_repeated_and_missing_eigenvalues(multiplicity: int, rank: int) -> None:
    """As many equal eigenvalues as components, and fewer different from 0 than components."""
    rng = np.random.default_rng(4)
    values = np.repeat(1.0 / np.arange(1, 61), multiplicity)[:60] * (np.arange(60) < rank)
    vectors = np.linalg.qr(rng.normal(size=(60, 60)))[0]
    matrix = (vectors * values) @ vectors.T
    found, rows = leading_eigenpairs(lambda block: block @ matrix, 60, 6, np.dtype(np.float64), 0)
    assert found == pytest.approx(values[:6], rel=1e-9, abs=1e-12)
    assert rows @ rows.T == pytest.approx(np.eye(6), abs=1e-12)
    assert np.abs(rows @ matrix - found[:, None] * rows).max() < 1e-5


def test_a_wider_basis_than_first_room_is_searched() -> None:
    """A flat spectrum needs more than eight blocks."""
    values = 1 - np.arange(250) / 2500
    found, _ = leading_eigenpairs(lambda block: block * values, 250, 3, np.dtype(np.float64), 0)
    assert found == pytest.approx(values[:3], rel=1e-9)


def test_power_steps_sharpen_the_range() -> None:
    rng = np.random.default_rng(2)
    table = with_singular_values(rng, 120, 60, singular_values("inverse", 60))
    missed = []
    for steps in (0, 1, 2, 4):
        q = find_range(table, 12, steps, np.random.default_rng(0))
        assert q.T @ q == pytest.approx(np.eye(12), abs=1e-12)
        missed.append(np.linalg.norm(table - q @ (q.T @ table), 2))
    assert missed == sorted(missed, reverse=True)
    assert missed[0] > 1.2 * missed[-1] >= 1.2 / 13


def test_incremental_fit_is_that_of_scikit_learn() -> None:
    """The same batches drop the same: a peer's answer, not the exact one, is the yardstick here."""
    from impls.pca.sklearn_incremental import fit

    x = MAKERS["inverse"](np.random.default_rng(5), 90, 12)
    for ours, theirs in zip(fit_incrementally(x, 4, 30), fit(x, 4, 30), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-10)
    with pytest.raises(ValueError, match="too few for 4"):
        fit_incrementally(x, 4, 3)


def test_tables_have_the_spectrum_that_they_are_named_for() -> None:
    rng = np.random.default_rng(6)
    for rows in (70, 30):
        u = haar(rng, rows, 12, centred=True)
        assert u.T @ u == pytest.approx(np.eye(12), abs=1e-12)
        assert u.sum(axis=0) == pytest.approx(np.zeros(12), abs=1e-12)
    x = MAKERS["inverse"](rng, 50, 8)
    assert variances(x - x.mean(axis=0)) == pytest.approx(1 / np.arange(1, 9) ** 2)
    with pytest.raises(ValueError, match="about a mean"):
        haar(rng, 5, 5, centred=True)


def test_checked_tables_keep_their_proportions_and_stay_small() -> None:
    for case in SUITE.cases:
        checked = check_case(case)
        assert checked["n"] * checked["d"] * min(checked["n"], checked["d"]) <= 1.1 * LARGEST_CHECKED_SVD
        assert checked["n"] >= checked["k"] <= checked["d"]
        if "data" not in case:
            assert checked["n"] / checked["d"] == pytest.approx(case["n"] / case["d"], rel=0.05)


def test_the_probe_of_losses_sees_a_worse_subspace() -> None:
    """Ours has no better challenger; components 2 to 11 have, and their loss is not the formula's."""
    probe, case = PROBES["loss"].measure, {"data": "digits", "n": 300, "d": 64, "k": 10}
    svd = load("numpy_svd")
    right = probe(np.random.default_rng(0), svd, **case)
    assert right["better"] == [0.0]
    assert right["identity_error"][0] < 1e-12

    def without_the_first(x: Any, k: int, seed: int) -> Any:
        mean, components, explained = next(iter(svd.function(x, k + 1, seed)))
        yield mean, components[1:], explained[1:]

    wrong = probe(np.random.default_rng(0), replace(svd, function=without_the_first), **case)
    assert wrong["better"][0] > 0
    assert wrong["identity_error"][0] > 1e-3


def test_the_probe_of_lost_values_tells_the_routes_apart() -> None:
    found = {
        name: PROBES["lost_values"].measure(np.random.default_rng(0), load(name), dtype="float64", tables=3)
        for name in ("numpy_svd", "numpy_covariance")
    }
    assert max(found["numpy_svd"]["largest_lost"]) < 1e-14
    assert min(found["numpy_covariance"]["largest_lost"]) > 1e-9


def test_the_probe_of_incremental_fits_finds_equality_at_the_rank() -> None:
    case = {"data": "digits", "n": 200, "d": 64, "batch": 100}
    probe = PROBES["incremental"].measure
    full = probe(np.random.default_rng(0), load("numpy_incremental"), **case, k=0)
    few = probe(np.random.default_rng(0), load("numpy_incremental"), **case, k=3)
    assert max(full["subspace"] + full["variance"]) < 1e-9
    assert max(few["variance"]) > 1e-4


def test_subspaces_at_right_angles_have_a_defect_of_one() -> None:
    assert cosine_defect(np.eye(4)[:2], np.eye(4)[2:]) == pytest.approx(1)
    assert cosine_defect(np.eye(4)[:2], np.eye(4)[:2][::-1]) == pytest.approx(0)


def test_triton_kernel_through_the_interpreter() -> None:
    """The whole of triton_gram on the CPU, against the reference, with rows and columns that fill no tile."""
    program = """
import json, numpy as np, torch
from suites.pca.suite import SUITE, make_inputs, measure_errors
from impls.pca.triton_gram import pca
errors = []
for n, d, k, data in ((150, 70, 6, "inverse"), (40, 5, 2, "far_mean")):
    inputs = make_inputs(np.random.default_rng(1), n=n, d=d, k=k, data=data)
    inputs["x"] = inputs["x"].astype(np.float32)
    expected = SUITE.reference(inputs["x"].astype(np.float64), k, 0)
    model, scores = pca.function(torch.from_numpy(inputs["x"]), k, 0)
    outputs = dict(zip(expected, [part.numpy() for part in (*model, scores)], strict=True))
    errors += measure_errors(outputs, expected, inputs, "gram").values()
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
@pytest.mark.parametrize("name", ["triton_gram", "torch_covariance"])
def test_products_are_those_of_the_reference_on_a_gpu(name: str) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    inputs = drawn(n=5_000, d=200, k=10)
    inputs["x"] = inputs["x"].astype(np.float32)
    expected = dict(SUITE.reference(inputs["x"].astype(np.float64), 10, 0))
    model, scores = load(name).function(torch.from_numpy(inputs["x"]).cuda(), 10, 0)
    outputs = {name: part.cpu().numpy() for name, part in zip(expected, (*model, scores), strict=True)}
    assert max(measure_errors(outputs, expected, inputs, "gram").values()) <= 1
