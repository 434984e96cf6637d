"""What the check must catch, and what it must let pass."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.contract import Implementation, Output, Raised, Suite, Tolerance, grid, implements
from harness.worker.checking import Check, check_call, relative_error


def make_inputs(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {"x": rng.normal(size=n)}


def reference(x: np.ndarray) -> dict[str, Any]:
    return {"doubled": 2 * x, "count": np.array([x.size])}


TOLERANCE = Tolerance({"float32": 1e-6})
SUITE = Suite(
    name="double",
    title="Twice",
    cases=grid(n=[100]),
    make_inputs=make_inputs,
    reference=reference,
    phases={"call": (Output("doubled", TOLERANCE), Output("count", Tolerance({"*": 0.0}), "int64"))},
    baseline="naive",
    naive="naive",
    axis="n",
)


def check(function: Callable[..., Any], dtype: str = "float32", **declared: Any) -> Check:
    implementation = implements(SUITE, dtypes=(dtype,), **declared)(function)

    def naive() -> Implementation:
        return implements(SUITE, arrays="torch", dtypes=(dtype,))(naive_torch)

    return check_call(SUITE, implementation, SUITE.cases[0], dtype=dtype, device="cpu", seed=3, load_naive=naive)


def naive_torch(x: Any) -> Any:
    import torch

    return x + x, torch.tensor([x.numel()])


def one(x: np.ndarray) -> np.ndarray:
    return np.array([x.size])


def test_a_right_answer_passes() -> None:
    outcome = check(lambda x: (2 * x, one(x)))
    assert outcome.right
    assert outcome.errors["doubled"] <= outcome.limits["doubled"] == 1e-6


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: (0 * x, one(x)), "off by 1"),
        (lambda x: (2 * x[::-1], one(x)), "off by"),
        (lambda x: (2 * x + 1e-4, one(x)), "off by"),
        (lambda x: (np.where(np.arange(x.size) == 7, np.float32(np.nan), 2 * x), one(x)), "NaN"),
        (lambda x: (np.where(np.arange(x.size) == 7, np.float32(np.inf), 2 * x), one(x)), "off by inf"),
        (lambda x: (2 * x[:-1], one(x)), "shape (99,), expected (100,)"),
        (lambda x: ((2 * x)[:, None], one(x)), "shape (100, 1)"),
        (lambda x: ((2 * x).astype(np.float64), one(x)), "dtype float64, expected float32"),
        (lambda x: (2 * x, one(x).astype(np.int32)), "dtype int32, expected int64"),
        (lambda x: (2 * x, one(x) + 1), "count is off by"),
        (lambda x: 2 * x, "must deliver (doubled, count)"),
        (lambda x: (2 * x, one(x), one(x)), "must deliver (doubled, count), not 3 values"),
        (lambda x: (None, one(x)), "doubled has shape ()"),
        (lambda x: (np.full(x.size, "2"), one(x)), "not numbers"),
        (lambda x: (np.multiply(x, 2, out=x), one(x)), "writes into its input x"),
    ],
)
def test_wrong_answers_are_caught(function: Callable[..., Any], reason: str) -> None:
    def implementation(x: np.ndarray) -> Any:
        return function(x)

    outcome = check(implementation)
    assert not outcome.right
    assert reason in outcome.reason


def test_declared_mutation_is_allowed() -> None:
    assert check(lambda x: (np.multiply(x, 2, out=x), one(x)), mutates=("x",)).right


@pytest.mark.parametrize(("changes", "reason"), [(False, ""), (True, "writes into its input x")])
def test_an_input_with_nan_is_written_to_only_if_it_differs(changes: bool, reason: str) -> None:
    """Not because NaN is unlike itself."""
    suite = dataclasses.replace(
        SUITE, make_inputs=lambda rng, n: {"x": np.where(np.arange(n) == 3, np.nan, rng.normal(size=n))}
    )

    def double(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        answer = 2 * x
        x[4] += int(changes)
        return answer, one(x)

    implementation = implements(suite, dtypes=("float32",))(double)
    outcome = check_call(
        suite, implementation, suite.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive
    )
    assert outcome.reason.startswith(reason)
    assert outcome.right is not changes


def _refusing(must_raise: str = "", allowed: tuple[str, ...] = ()) -> Suite:
    """The suite with a reference that may raise; lets ``allowed`` errors pass for implementations of kind "view"."""
    reference = {"reference": lambda x: {"doubled": Raised(must_raise)}} if must_raise else {}
    return dataclasses.replace(SUITE, **reference, refusals=lambda inputs, kind: allowed if kind == "view" else ())


@pytest.mark.parametrize(
    ("suite", "kind", "answer", "reason"),
    [
        (_refusing("shape"), "", Raised("shape"), ""),
        (_refusing("shape"), "", Raised("overlap"), "answers with overlap where shape has to be raised"),
        (_refusing("shape"), "", None, "answers with a value where shape has to be raised"),
        (_refusing(allowed=("overlap",)), "view", Raised("overlap"), ""),
        (_refusing(allowed=("overlap",)), "view", Raised("shape"), "raises shape where a value is expected"),
        (_refusing(allowed=("overlap",)), "", Raised("overlap"), "raises overlap where a value is expected"),
        (SUITE, "", Raised("overlap"), "raises overlap where a value is expected"),
    ],
)
def test_an_error_is_an_answer_where_the_suite_says_so(suite: Suite, kind: str, answer: Any, reason: str) -> None:
    implementation = implements(suite, kind=kind)(lambda x: answer or (2 * x, one(x)))
    outcome = check_call(
        suite, implementation, suite.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive
    )
    assert outcome.reason == reason
    assert outcome.raised == (answer.kind if answer else "")


def test_an_empty_table_handed_over_as_lists_is_not_written_to() -> None:
    """A table of no rows and three columns is an empty list, which knows of no columns."""
    suite = dataclasses.replace(SUITE, make_inputs=lambda rng, n: {"x": rng.normal(size=(0, 3))})
    implementation = implements(suite, arrays="python")(lambda x: ([], [0]))
    suite = dataclasses.replace(
        suite,
        reference=lambda x: {"doubled": np.zeros(0), "count": np.array([x.size])},
        phases={"call": (Output("doubled", TOLERANCE), Output("count", Tolerance({"*": 0.0}), "int64"))},
    )
    outcome = check_call(
        suite, implementation, suite.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive
    )
    assert outcome.right, outcome.reason


def test_an_answer_remembered_from_the_last_call_is_caught() -> None:
    """A function right on one seed and replaying it on the next is wrong there."""
    memory: list[np.ndarray] = []

    def replay(x: np.ndarray) -> Any:
        memory.append(2 * x)
        return memory[0], one(x)

    first = check_call(
        SUITE, implements(SUITE)(replay), SUITE.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive
    )
    second = check_call(
        SUITE, implements(SUITE)(replay), SUITE.cases[0], dtype="float32", device="cpu", seed=2, load_naive=_no_naive
    )
    assert first.right
    assert not second.right


def _no_naive() -> Implementation:
    raise AssertionError("float32 has a limit of its own")


def test_low_precision_is_held_to_the_naive_versions_error() -> None:
    """bfloat16 rounding passes, ten times the naive error does not."""

    def exact(x: Any) -> Any:
        import torch

        return 2 * x, torch.tensor([x.numel()])

    def sloppy(x: Any) -> Any:
        import torch

        return 2 * x * 1.05, torch.tensor([x.numel()])

    assert check(exact, "bfloat16", arrays="torch").right
    assert not check(sloppy, "bfloat16", arrays="torch").right


def test_a_generator_must_yield_every_phase() -> None:
    suite = Suite(
        name="double",
        title="Twice",
        cases=grid(n=[10]),
        make_inputs=make_inputs,
        reference=reference,
        phases={"first": (Output("doubled", TOLERANCE),), "second": (Output("count", TOLERANCE, "int64"),)},
        baseline="naive",
        axis="n",
    )

    def half(x: np.ndarray) -> Iterator[Any]:
        yield 2 * x

    outcome = check_call(
        suite, implements(suite)(half), suite.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive
    )
    assert "ended before it yielded at the end of phase 'second'" in outcome.reason


@pytest.mark.parametrize(("bitwise", "given"), [(False, "float64"), (True, "float32")])
def test_a_reference_of_bits_is_given_the_inputs_as_they_are(bitwise: bool, given: str) -> None:
    seen: list[str] = []

    def noting(x: np.ndarray) -> dict[str, Any]:
        seen.append(str(x.dtype))
        return reference(x)

    suite = dataclasses.replace(SUITE, reference=noting, bitwise=bitwise)
    right = implements(suite)(lambda x: (2 * x, one(x)))
    assert check_call(suite, right, suite.cases[0], dtype="float32", device="cpu", seed=1, load_naive=_no_naive).right
    assert seen == [given]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(1e-3, 1e3))
def test_relative_error_ignores_scale(values: list[float], scale: float) -> None:
    expected = np.array(values)
    output = expected + 0.5
    if np.max(np.abs(expected)) > 1e-3:
        assert relative_error(output * scale, expected * scale) == pytest.approx(
            relative_error(output, expected), rel=1e-6
        )
    assert relative_error(expected, expected) == 0.0


@pytest.mark.parametrize(
    ("output", "expected", "error"),
    [
        ([-math.inf, 1.0], [-math.inf, 1.0], 0.0),
        ([0.0, 1.0], [-math.inf, 1.0], math.inf),
        ([math.nan, 1.0], [1.0, 1.0], math.inf),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([1.0, 3.0], [1.0, 2.0], 0.5),
        ([], [], 0.0),
    ],
)
def test_relative_error_on_special_values(output: list[float], expected: list[float], error: float) -> None:
    assert relative_error(np.array(output), np.array(expected)) == error


@pytest.mark.parametrize("end", ["prepare", "double"])
def test_a_call_that_ends_before_its_first_output_is_judged_by_a_longer_one(end: str) -> None:
    suite = dataclasses.replace(SUITE, phases={"prepare": (), "double": (SUITE.outputs[0],)})

    @implements(suite, dtypes=("float32",))
    def wrong(x: np.ndarray) -> Iterator[Any]:
        yield
        yield 3 * x

    outcome = check_call(
        suite, wrong, suite.cases[0], dtype="float32", device="cpu", seed=3, load_naive=lambda: wrong, until=end
    )
    assert "doubled is off by" in outcome.reason
