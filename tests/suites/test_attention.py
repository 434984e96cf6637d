"""The attention suite: answers worked by hand, invariants, counters against formulas, wrong answers that must fail."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from suites.attention.claims import CLAIMS
from suites.attention.inputs import make_inputs
from suites.attention.probes import figure_2, main_memory_accesses, softmax_accesses
from suites.attention.reference import measure_errors, reference
from suites.attention.suite import GRADIENT_TOLERANCE, SUITE, check_case, visible_pairs

lengths = st.integers(1, 12)


def implementation(name: str) -> Implementation:
    return importlib.import_module(f"impls.attention.{name}").attention


def draw(seed: int = 0, **case: Any) -> dict[str, Any]:
    shape = {"batch": 1, "heads": 2, "seq_len": 9, "head_dim": 4, "causal": False}
    return make_inputs(np.random.default_rng(seed), **(shape | case))


def run(name: str, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    phases = list(implementation(name).function(**inputs))
    return dict(zip(("out", "lse", "dq", "dk", "dv"), (a for phase in phases for a in phase), strict=True))


def in_float32(inputs: dict[str, Any]) -> dict[str, Any]:
    return {n: a.astype(np.float32) if isinstance(a, np.ndarray) else a for n, a in inputs.items()}


def test_two_keys_by_hand() -> None:
    """One query with logits 0 and ln 3: P = (1/4, 3/4), dS = P * (dP - D) = (-3/16, 3/16)."""
    q, k, v = (
        np.ones((1, 1, 1, 1)),
        np.array([0.0, math.log(3.0)]).reshape(1, 1, 2, 1),
        np.arange(2.0).reshape(1, 1, 2, 1),
    )
    answer = reference(q, k, v, np.ones((1, 1, 1, 1)), False)
    assert answer["out"].item() == pytest.approx(0.75)
    assert answer["lse"].item() == pytest.approx(math.log(4.0))
    assert answer["dv"].ravel() == pytest.approx([0.25, 0.75])
    assert answer["dk"].ravel() == pytest.approx([-3 / 16, 3 / 16])
    assert answer["dq"].item() == pytest.approx(3 / 16 * math.log(3.0))


@pytest.mark.parametrize("extra_queries", [-4, 0, 5])
def test_gradients_are_the_slopes_of_the_output(extra_queries: int) -> None:
    """Central differences of <out, grad_out> in random directions of q, k and v."""
    inputs = draw(causal=True, extra_queries=extra_queries)
    answer, rng, step = reference(**inputs), np.random.default_rng(1), 1e-5

    def value(changed: dict[str, Any]) -> float:
        return float((reference(**changed)["out"] * inputs["grad_out"]).sum())

    for name in ("q", "k", "v"):
        direction = rng.standard_normal(inputs[name].shape)
        up, down = (value(inputs | {name: inputs[name] + sign * step * direction}) for sign in (1, -1))
        assert (answer[f"d{name}"] * direction).sum() == pytest.approx((up - down) / (2 * step), rel=1e-6)


@given(queries=lengths, keys=lengths, causal=st.booleans())
def test_visible_pairs_counts_the_mask(queries: int, keys: int, causal: bool) -> None:
    seen = sum(not causal or j <= i + keys - queries for i in range(queries) for j in range(keys))
    assert visible_pairs(queries, keys, causal) == seen


@given(queries=lengths, keys=lengths)
@settings(max_examples=25)
def test_rows_that_see_no_key_are_zero_and_the_others_are_not(queries: int, keys: int) -> None:
    answer = reference(**draw(causal=True, seq_len=keys, extra_queries=queries - keys))
    blind = max(0, queries - keys)
    assert np.all(answer["out"][:, :, :blind] == 0)
    assert np.all(np.isneginf(answer["lse"][:, :, :blind]))
    assert np.all(np.isfinite(answer["lse"][:, :, blind:]))


@given(seed=st.integers(0, 2**31), size=st.floats(-3, 3))
@settings(max_examples=25)
def test_a_shift_of_all_keys_moves_only_the_log_sum_exp(seed: int, size: float) -> None:
    """softmax(s + c) = softmax(s): k + c adds q c / sqrt(d) to every logit of a row, and to its log-sum-exp."""
    inputs = draw(seed)
    shift = size * np.random.default_rng(seed).standard_normal(4)
    before, after = reference(**inputs), reference(**(inputs | {"k": inputs["k"] + shift}))
    assert np.allclose(after["out"], before["out"], atol=1e-12)
    assert np.allclose(after["lse"] - before["lse"], inputs["q"] @ shift / 2.0, atol=1e-12)


@given(seed=st.integers(0, 2**31))
@settings(max_examples=25)
def test_the_order_of_keys_does_not_matter_without_a_mask(seed: int) -> None:
    inputs = draw(seed)
    order = np.random.default_rng(seed).permutation(9)
    shuffled = {name: array[:, :, order] if name in ("k", "v") else array for name, array in inputs.items()}
    before, after = reference(**inputs), reference(**shuffled)
    assert np.allclose(after["out"], before["out"], atol=1e-12)
    assert np.allclose(after["dk"], before["dk"][:, :, order], atol=1e-12)


@pytest.mark.parametrize("data", ["large_logits", "rising_maximum", "equal_logits", "one_huge_logit"])
def test_adversarial_logits_are_what_their_name_says(data: str) -> None:
    """And they survive rounding to float16, where the largest number is 65504."""
    inputs = draw(data=data, seq_len=300, head_dim=64)
    assert all(np.all(np.isfinite(inputs[name].astype(np.float16))) for name in "qkv")
    logits = inputs["q"] @ inputs["k"].swapaxes(-1, -2) / 8.0
    if data == "large_logits":
        assert np.all(np.abs(logits) == 1e4)
    elif data == "rising_maximum":
        assert np.all(np.diff(logits, axis=-1) > 0)
    elif data == "equal_logits":
        assert np.ptp(logits) == 0
    else:
        assert np.sum(np.abs(logits) > 100, axis=(-1, -2)).tolist() == [[1, 1]]
    assert all(np.abs(reference(**inputs)[name]).max() > 1e-6 for name in ("dq", "dk", "dv"))


def _wrong(kind: str, inputs: dict[str, Any], answer: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if kind == "causal aligned to the top left":
        square = inputs["q"].shape[2]
        top_left = {n: a[:, :, :square] if n in ("k", "v") else a for n, a in inputs.items()}
        return {n: a for n, a in reference(**top_left).items() if n in ("out", "lse", "dq")}
    if kind == "log-sum-exp in base 2":
        return {"lse": answer["lse"] / math.log(2.0)}
    if kind == "gradient without the scale":
        return {"dq": answer["dq"] * 2.0}
    if kind == "gradient without the row sums":
        return {"dv": answer["dv"][:, :, ::-1]}
    return {name: np.zeros_like(array) for name, array in answer.items()}


@pytest.mark.parametrize(
    "kind",
    [
        "zeros",
        "causal aligned to the top left",
        "log-sum-exp in base 2",
        "gradient without the scale",
        "gradient without the row sums",
    ],
)
def test_wrong_answers_are_far_outside_every_tolerance(kind: str) -> None:
    inputs = draw(causal=True, extra_queries=-3)
    answer = reference(**inputs)
    errors = measure_errors(_wrong(kind, inputs, answer), answer, inputs, "")
    assert errors
    assert min(errors.values()) > 0.05


def test_a_finite_log_sum_exp_for_a_blind_row_is_an_infinite_error() -> None:
    inputs = draw(causal=True, extra_queries=2)
    answer = reference(**inputs)
    lse = np.where(np.isneginf(answer["lse"]), 0.0, answer["lse"])
    assert measure_errors({"lse": lse}, answer, inputs, "")["lse"] == math.inf


def test_vanishing_gradients_are_measured_against_their_terms() -> None:
    """With one key dq and dk are 0; rounding noise of float32 passes and a gradient that is not 0 does not."""
    inputs = draw(seq_len=1, head_dim=64)
    answer = reference(**inputs)
    noise, wrong = np.full_like(answer["dq"], 1e-6), np.full_like(answer["dq"], 0.1)
    assert measure_errors({"dq": noise}, answer, inputs, "")["dq"] < GRADIENT_TOLERANCE.limits["float32"]
    assert measure_errors({"dq": wrong}, answer, inputs, "")["dq"] > 100 * GRADIENT_TOLERANCE.limits["float32"]


def test_long_cases_are_checked_on_short_ones_that_tiles_divide_as_badly() -> None:
    case = {"batch": 1, "heads": 4, "seq_len": 16384, "head_dim": 64, "causal": True}
    assert check_case(case) == case | {"seq_len": 2048}
    assert check_case(case | {"seq_len": 5001})["seq_len"] % 128 == 5001 % 128
    assert check_case(case | {"seq_len": 1000}) == case | {"seq_len": 1000}


def test_work_of_a_causal_case_is_its_visible_half() -> None:
    shape = {"batch": 2, "heads": 3, "seq_len": 8, "head_dim": 4}
    full, causal = (SUITE.work(4, **shape, causal=causal) for causal in (False, True))  # type: ignore[misc]
    assert full["forward"].flops == 4 * 6 * 8 * 8 * 4
    assert full["backward"].flops == 2.5 * full["forward"].flops
    assert causal["forward"].flops == 4 * 6 * 4 * (8 * 9 // 2)
    assert full["forward"].bytes_moved == 4 * 6 * 8 * 4 * 4 + 4 * 6 * 8


def test_traffic_of_the_tiled_algorithms_equals_the_formulas() -> None:
    """Counted by running: Algorithm 1 of both papers, N = 64, d = 8, tiles of 16 queries by 16 keys."""
    n, d, tiles = 64, 8, 4
    inputs = in_float32(draw(seq_len=n, head_dim=d, heads=1))
    arrays = tuple(inputs[name] for name in ("q", "k", "v"))
    fa1 = implementation("numpy_tiled_fa1").counters("tiled", *arrays, None, query_tile=16, key_tile=16)  # type: ignore[misc]
    assert fa1.matrix_elements == n * d + 2 * n * d + tiles * 3 * n * d
    assert fa1.row_elements == 2 * n + tiles * 4 * n
    assert fa1.multiply_adds == 2 * n * n * d
    fa2 = implementation("numpy_tiled_fa2").counters(*arrays, None, query_tile=16, key_tile=16)  # type: ignore[misc]
    assert fa2.matrix_elements == 2 * n * d + tiles * 2 * n * d
    assert fa2.row_elements == n
    causal = implementation("numpy_tiled_fa2").counters(*arrays, None, causal=True, query_tile=16, key_tile=16)  # type: ignore[misc]
    assert causal.multiply_adds == 2 * d * 16 * 16 * (tiles * (tiles + 1) // 2)


def test_figure_2_counts_by_the_formulas() -> None:
    """Twelve and fourteen N² d; Algorithms 0 and 3 move 11 N² + 12 N d numbers, dropout adds 5 N² and a mask 2 N²."""
    n, d, copies = 1024, 64, 1024
    implementation_ = implementation("numpy_tiled_fa1")
    plain = figure_2(np.random.default_rng(0), implementation_, key_tile=256)
    assert plain["flash_over_standard_flops"] == [pytest.approx(14 / 12)]
    assert plain["printed_over_counted_mac"] == [pytest.approx(75.2e9 / (7 * n * n * d * copies))]
    assert plain["standard_bytes"] == [2 * copies * (11 * n * n + 12 * n * d)]
    both = figure_2(np.random.default_rng(0), implementation_, key_tile=256, dropout=True, mask=True)
    assert both["standard_bytes"] == [2 * copies * (18 * n * n + 12 * n * d)]


def test_accesses_fall_as_the_chip_grows() -> None:
    counts = [
        main_memory_accesses(
            np.random.default_rng(0), implementation("numpy_tiled_fa1"), seq_len=512, head_dim=16, on_chip_elements=m
        )["accesses"][0]
        for m in (512, 1024)
    ]
    assert 1.8 < counts[0] / counts[1] <= 2.0


@pytest.mark.parametrize("width", [1, 37, 1000])
def test_softmax_is_right_and_counted(width: int) -> None:
    """The interpreted functions are the compiled ones, so their answers are compared as well as their counts."""
    count = implementation("numba_parallel").counters
    assert count is not None
    x = (3 * np.random.default_rng(0).standard_normal((3, width))).astype(np.float32)
    expected = np.exp(x.astype(np.float64))
    expected /= expected.sum(axis=1, keepdims=True)
    for name, accesses in (("safe", 4), ("online", 3)):
        compiled, counted = np.full_like(x, np.nan), np.full_like(x, np.nan)
        count("run", name, x, compiled)
        assert count("count", name, x, counted) == accesses * x.size
        assert np.allclose(compiled, expected, rtol=1e-5, atol=1e-9)
        assert np.allclose(counted, expected, rtol=1e-5, atol=1e-9)
    values = softmax_accesses(np.random.default_rng(0), implementation("numba_parallel"), width=width)
    assert values == {"safe": [4.0], "online": [3.0]}


def test_claims_name_the_figures_of_their_source() -> None:
    """All are there, and the printed ratios of FlashAttention-3 leave its own band at d = 256."""
    assert [claim.id for claim in CLAIMS] == [
        f"attention.{n}" for n in ("1", "2a", "2b", "2c", "2d", "3", "4a", "4b", "5", "6")
    ]
    ratios = {}
    for cell in next(claim for claim in CLAIMS if claim.id == "attention.4a").cells:
        probe = SUITE.probes[cell.evidence.probe]  # type: ignore[union-attr]
        ratios[cell.label] = probe.measure(np.random.default_rng(0), None, **cell.evidence.case)["fa3_over_fa2"][0]  # type: ignore[union-attr]
    assert ratios["printed TFLOP/s, N = 16k, d=128 full"] == pytest.approx(648 / 370)
    assert len(ratios) == 5
