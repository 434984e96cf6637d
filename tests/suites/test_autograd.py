"""Gradients: answers by hand, kinks, infinities, graphs that change, are freed and counted; answers that must fail."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation
from impls.building_blocks.autograd.counting import CountingArray, Operations, unique_bytes
from impls.building_blocks.autograd.source_operations import transform
from impls.building_blocks.autograd.tape import Tensor, backward, variable
from impls.building_blocks.autograd.tape_operations import CHECKPOINTING, TAPE, gradient
from suites.autograd.claims import saved_bytes
from suites.autograd.judging import measure_errors
from suites.autograd.probes import PROBES
from suites.autograd.programs import PROGRAMS, Problem
from suites.autograd.reference import BY_HAND, NOT_BY_STEPS, derivative_along
from suites.autograd.smooth import FUNCTIONS
from suites.autograd.suite import CASES, EDGE_CASES, SUITE, check_case, make_inputs

NOTHING = Problem(np.empty((0, 0)), None)
ONE = np.ones(1)
EXACT = ("dual_numbers", "scalar_tape", "numpy_tape", "source_transform", "torch_grad")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.autograd.{name}").differentiate
    assert isinstance(implementation, Implementation)
    return implementation


def run(name: str, inputs: dict[str, Any]) -> list[np.ndarray]:
    """What the phases deliver."""
    implementation, arguments = load(name), dict(inputs)
    if implementation.arrays == "torch":
        import torch

        arguments = {
            key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in inputs.items()
        }
    return [np.asarray(delivered) for delivered in implementation.function(**arguments)]


def given_inputs(program: str, x: list[float], **changes: Any) -> dict[str, Any]:
    return {
        "program": program,
        "x": np.array(x, dtype=np.float64),
        "table": np.empty((0, 0)),
        "targets": np.empty((0, 0)),
        "tangent": np.ones(len(x)),
        "cotangent": np.ones(1),
        "length": 0,
        "segments": 1,
        **changes,
    }


@pytest.mark.parametrize("name", [*EXACT, "complex_step", "finite_forward", "finite_central", "torch_func_grad"])
def test_gradients_by_hand(name: str) -> None:
    """Rosenbrock at (1, 2): 100 (2 - 1)^2 + 0, slopes -400 and 200; x^4 x^2 + x^4 + x at 2, 16 of it used twice."""
    tolerance = {"rel": 1e-5} if name.startswith("finite") else {"rel": 1e-12}
    value, found, *product = run(name, given_inputs("rosenbrock", [1.0, 2.0]))
    assert value == pytest.approx([100.0])
    assert found == pytest.approx([-400.0, 200.0], **tolerance)
    assert not product or product[0] == pytest.approx([-200.0], **tolerance)
    # (x^4 + x^2) x^2 + x has the derivative 6 x^5 + 4 x^3 + 1
    assert run(name, given_inputs("shared", [2.0]))[1] == pytest.approx([6 * 32 + 4 * 8 + 1], **tolerance)
    assert run(name, given_inputs("unused", [0.0, 5.0, 5.0]))[1] == pytest.approx([1.0, 0.0, 0.0], abs=1e-7)


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("name", [*EXACT, "torch_func_grad", "torch_func_jvp"])
def test_kinks_and_infinities(name: str) -> None:
    """relu + 2 abs + 4 max at (0, 3, -1, 3): nothing at 0, 3 + 4 at the first of the largest."""
    assert run(name, given_inputs("kinks", [0.0, 3.0, -1.0, 3.0]))[1] == pytest.approx([0.0, 7.0, -2.0, 3.0])
    assert run(name, given_inputs("log_of_zero", [0.0]))[:2] == [-np.inf, np.inf]
    assert run(name, given_inputs("one_over_zero", [0.0]))[:2] == [np.inf, -np.inf]


SMALL_BY_HAND = [
    case
    for case in (*CASES, *EDGE_CASES)
    if case["program"] in BY_HAND and case["program"] not in NOT_BY_STEPS and case.get("n", 0) <= 32
]


@pytest.mark.parametrize("case", SMALL_BY_HAND, ids=lambda case: case.label)
def test_gradients_written_by_hand_agree_with_complex_steps(case: Any) -> None:
    program = str(case["program"])
    inputs = make_inputs(np.random.default_rng(2), **{**case, **({"width": 3} if program == "layers" else {})})
    problem = Problem(inputs["table"], inputs["targets"], inputs["length"], inputs["segments"])
    steps = [derivative_along(program, inputs["x"], problem, axis)[0] for axis in np.eye(len(inputs["x"]))]
    assert BY_HAND[program](inputs["x"], problem) == pytest.approx(np.array(steps), rel=1e-11, abs=1e-13)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(EXACT), batch=st.integers(1, 9), width=st.integers(1, 4))
def test_networks_on_digits_agree_with_the_reference(seed: int, name: str, batch: int, width: int) -> None:
    inputs = make_inputs(np.random.default_rng(seed), program="digits", batch=batch, width=width)
    problem = Problem(inputs["table"], inputs["targets"])
    direction = np.random.default_rng(seed).normal(size=len(inputs["x"]))
    expected = derivative_along("digits", inputs["x"], problem, direction)[0]
    found = run(name, inputs)[1]
    assert found @ direction == pytest.approx(expected, rel=1e-10, abs=1e-11)


def test_every_rule_of_products_and_broadcasting() -> None:
    """Vectors and matrices on either side of @, and shapes that stretch; gradients by complex steps."""

    def program(ops: Any, x: Any, problem: Problem) -> Any:
        matrix, other, row = ops.split(x, [(2, 3), (3, 2), (3,)])
        inner = ops.total(row @ other) + row @ row + ops.total(matrix @ row) + ops.total(other @ matrix @ other)
        spread = ops.total(matrix * row + row / (other[:2, :1] ** 2 + 2.0), axis=0)
        return inner + ops.total(spread * spread) - ops.total(-matrix @ np.ones(3)) + ops.total(np.ones(2) @ matrix)

    x = np.random.default_rng(1).normal(size=15)
    from impls.building_blocks.autograd.complex_steps import gradient as by_steps
    from impls.building_blocks.autograd.dual import DUAL
    from impls.building_blocks.autograd.dual import gradient as by_duals
    from impls.building_blocks.autograd.plain import PLAIN

    expected = by_steps(lambda point: program(PLAIN, point, NOTHING), x, ONE)
    assert gradient(TAPE, program, x, NOTHING, ONE) == pytest.approx(expected, rel=1e-12)
    assert by_duals(lambda point: program(DUAL, point, NOTHING), x, ONE) == pytest.approx(expected, rel=1e-12)
    compiled = transform(program, x, NOTHING)
    assert compiled(x, None, None, ONE[0]) == pytest.approx(expected, rel=1e-12)
    assert compiled(-x, None, None, ONE[0]) == pytest.approx(gradient(TAPE, program, -x, NOTHING, ONE), rel=1e-12)


def test_a_saved_value_cannot_be_overwritten() -> None:
    """In torch the write succeeds and the backward pass finds out; on our tape the write itself is refused."""
    import torch

    x = variable(np.array([1.0, 2.0]))
    y = TAPE.exp(x)
    with pytest.raises(ValueError, match="read-only"):
        y.value[0] = 0.0
    with pytest.raises(TypeError, match="cannot be written"):
        y[0] = 0.0
    z = torch.ones(2, requires_grad=True).exp()
    z.detach()[0] = 0.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_a_graph_is_freed_unless_it_is_kept() -> None:
    x = variable(np.array([3.0]))
    y = TAPE.total(x * x)
    backward(y, 1.0, retain_graph=True)
    backward(y, 1.0)
    assert x.gradient == pytest.approx([12.0])
    with pytest.raises(RuntimeError, match="retain_graph"):
        backward(y, 1.0)


def test_gradients_add_up_until_they_are_reset() -> None:
    """As in torch, where resetting leaves None and not zeros."""
    import torch

    x = variable(np.array([3.0]))
    other = torch.tensor([3.0], requires_grad=True)
    for _ in range(2):
        backward(TAPE.total(x * x), 1.0)
        (other * other).sum().backward()
    assert x.gradient == other.grad == 12.0
    x.zero_grad()
    torch.optim.SGD([other]).zero_grad()
    assert x.gradient is None
    assert other.grad is None
    backward(TAPE.total(x * x), 1.0)
    assert x.gradient == 6.0


def test_training_ends_at_the_same_weights() -> None:
    """Logistic regression on breast_cancer by gradient descent, with the gradients of all exact implementations."""
    inputs = make_inputs(np.random.default_rng(6), program="logistic")
    ends = []
    for name in ("numpy_tape", "source_transform", "torch_grad", "torch_func_grad"):
        x = inputs["x"].copy()
        for _ in range(20):
            x = x - 0.5 * run(name, {**inputs, "x": x})[1]
        ends.append(x)
    for end in ends[1:]:
        assert end == pytest.approx(ends[0], rel=1e-10)


def test_a_deep_graph_needs_no_recursion() -> None:
    x = variable(np.array([1.0]))
    y: Tensor = x[0]
    for _ in range(20_000):
        y = y * 1.0
    backward(y, 1.0)
    assert x.gradient == pytest.approx([1.0])


def test_a_checkpoint_runs_again_and_keeps_its_inputs_alone() -> None:
    runs = []

    def segment(h: Any, w: Any) -> Any:
        runs.append(type(h))
        return CHECKPOINTING.tanh(CHECKPOINTING.exp(h * w))

    x = np.array([0.3, -0.2])
    start = variable(x)
    out = CHECKPOINTING.total(CHECKPOINTING.checkpoint(segment, start, np.array([2.0, 3.0])))
    assert runs == [np.ndarray]
    backward(out, 1.0)
    assert runs == [np.ndarray, Tensor]
    y = np.tanh(np.exp(x * [2, 3]))
    assert start.gradient == pytest.approx((1 - y**2) * np.exp(x * [2, 3]) * [2, 3])


def test_bytes_and_operations_are_counted_once_and_all() -> None:
    memory = np.zeros(100, dtype=np.float32)
    assert unique_bytes([memory[:50], memory[25:75], memory[:50].reshape(5, 10).T, np.zeros(2)]) == 300 + 16
    count = Operations()
    a = CountingArray.of(np.ones((2, 3)), count)
    _ = (a @ np.ones((3, 4)) + 1.0).sum()
    assert (count.matmul, count.elementwise) == (2 * 2 * 3 * 4, 8 + 8)
    _ = np.sin(a[0, 0]) * 2.0
    assert count.elementwise == 16 + 2


def test_the_formula_of_saved_bytes_is_that_of_the_layers() -> None:
    """Width 256: 33 activations of 64 x 256 and 31 matrices of 256 x 256, in four bytes each."""
    assert saved_bytes(256) == 4 * (33 * 64 * 256 + 31 * 256**2)


def test_hooks_are_shown_what_is_saved_more_than_once() -> None:
    """The output of tanh as its own and as the next layer's input, which is why each storage counts once."""
    import torch

    seen: list[int] = []
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 4), torch.nn.Tanh())

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        seen.append(tensor.untyped_storage().data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = network(torch.ones(3, 4))
    assert output.requires_grad
    assert (len(seen), len(set(seen))) == (5, 4)


@pytest.mark.parametrize("name", ["checkpointed_tape", "torch_checkpoint"])
def test_a_checkpointed_graph_holds_two_activations_for_each_segment(name: str) -> None:
    """Of L layers in sqrt(L) segments the inputs of all, and of one of them all outputs; 16 x 8 float64 each."""
    found = PROBES["checkpointing"].measure(np.random.default_rng(0), load(name))
    for depth in (16, 64, 256, 1_024):
        assert found[f"bytes_{depth}"] == [2 * depth**0.5 * 16 * 8 * 8]
    assert found["differing"] == [0.0]


@pytest.mark.parametrize("name", ["numpy_tape", "torch_grad"])
def test_saved_bytes_of_three_layers(name: str) -> None:
    counters: Any = load(name).counters
    rng = np.random.default_rng(0)
    kept = counters().saved_bytes(rng, 3, 8, 5, tracked=True)
    assert kept == 4 * ((3 + 1) * 5 * 8 + (3 - 1) * 8**2)
    assert counters().saved_bytes(rng, 3, 8, 5, tracked=False) == 0


def test_smooth_functions_have_the_slopes_they_say() -> None:
    for x in (0.5, 1.0, 1.5):
        for function, slope in FUNCTIONS:
            assert (function(x + 1e-6) - function(x - 1e-6)) / 2e-6 == pytest.approx(slope(x), rel=1e-7, abs=1e-8)


def test_a_trace_repeats_the_path_it_was_made_on() -> None:
    """Right where the path is the same, wrong elsewhere: what the control of the claim rests on."""
    counters: Any = load("source_transform").counters
    traced = counters()
    program = PROGRAMS["collatz"]
    first, other = np.array([0.51]), np.array([0.95])
    _, size = traced.gradient_and_size(program, first, NOTHING)
    found, same_size = traced.gradient_and_size(program, other, NOTHING)
    right = derivative_along("collatz", other, NOTHING, ONE)
    assert same_size == size
    assert abs(found[0] - right[0]) > 1e-6
    assert traced.gradient_and_size(program, first, NOTHING)[0] == pytest.approx(
        derivative_along("collatz", first, NOTHING, ONE)
    )


def test_counts_of_the_claims_on_few_numbers() -> None:
    evaluations = PROBES["evaluations"].measure
    rng = np.random.default_rng(0)
    for name, expected in (("finite_forward", 8), ("finite_central", 14), ("dual_numbers", 7), ("scalar_tape", 1)):
        assert evaluations(rng, load(name), n=7) == {"program_runs": [expected]}


def test_wrong_answers_fail() -> None:
    """The derivative of another program, a gradient without its cotangent, signs, one entry lost; for all kinds."""
    inputs = make_inputs(np.random.default_rng(4), program="layer", n=5)
    expected = {name: np.asarray(value) for name, value in SUITE.reference(**inputs).items()}
    plain = {**inputs, "cotangent": np.ones_like(inputs["cotangent"])}
    lost = expected["gradient"].copy()
    lost[2] = 0.0
    wrong = {
        "gradient": [np.asarray(SUITE.reference(**plain)["gradient"]), -expected["gradient"], lost],
        "product": [expected["product"] * 1.001, expected["product"][::-1]],
    }
    for kind in ("", "finite"):
        assert max(measure_errors(expected, expected, inputs, kind).values()) == 0
        for output, answers in wrong.items():
            for answer in answers:
                assert measure_errors({**expected, output: answer}, expected, inputs, kind)[output] > 1e-10


def test_checked_cases_are_small() -> None:
    deep = check_case({"program": "layers", "layers": 1_024, "width": 1_024, "batch": 64})
    assert (deep["layers"], deep["width"]) == (16, 128)
    assert check_case({"program": "chain", "n": 1, "length": 1_000}) == {"program": "chain", "n": 1, "length": 1_000}
