"""Call styles of one layer: bits and formulas, what is captured and what is looked up, and probes that can fail."""

from __future__ import annotations

import importlib
import inspect
import shutil
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.contract import Implementation, Inline, ProbeValue, Unavailable, implements
from impls.building_blocks.module_vs_functional import layers
from impls.building_blocks.module_vs_functional.compiling import compiled
from suites.module_vs_functional.equality import WITH_TRAINING, bits_that_differ, defaults_that_differ, pairs_by_name
from suites.module_vs_functional.frames import frames
from suites.module_vs_functional.state import _moves, _obeys_its_mode, _takes_over_state
from suites.module_vs_functional.suite import LAYERS, SUITE, Settings, make_inputs, measure_errors, reference

STYLES = ("module", "functional", "functional_lookup", "module_forward", "aten", "functional_call")
LIMIT = 1e-5
Inputs = dict[str, Any]


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.module_vs_functional.{name}").call
    assert isinstance(implementation, Implementation)
    return implementation


def draw(layer: str = "linear", **changes: Any) -> Inputs:
    """Inputs in float32, as arrays."""
    case = {"width": 5, "batch": 3, "grad": True, **changes}
    inputs = make_inputs(np.random.default_rng(1), layer, **case)  # type: ignore[arg-type]
    return {
        name: value.astype("float32") if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in inputs.items()
    }


def prepare(style: str, layer: str = "linear", **changes: Any) -> Inline:
    handed = {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in draw(layer, **changes).items()
    }
    prepared = load(style).function(**handed)
    assert isinstance(prepared, Inline)
    return prepared


def outputs_of(prepared: Inline) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    outputs: tuple[Tensor, Tensor, Tensor, Tensor] = prepared.outputs(prepared.value())
    return outputs


def probed(name: str, implementation: Implementation | None = None, **case: Any) -> dict[str, float]:
    found = SUITE.probes[name].measure(np.random.default_rng(0), implementation, **case)
    return {key: series[0] for key, series in found.items()}


class TestMeasure:
    @pytest.mark.parametrize("layer", LAYERS)
    def test_a_last_bit_is_wrong_for_eager_styles_and_not_for_others(self, layer: str) -> None:
        inputs = draw(layer)
        expected = reference(**inputs)
        outputs = {name: array.copy() for name, array in expected.items()}
        assert max(measure_errors(outputs, expected, inputs, "").values()) < LIMIT
        largest = np.unravel_index(np.argmax(np.abs(outputs["output"])), outputs["output"].shape)
        outputs["output"][largest] = np.nextafter(outputs["output"][largest], np.float32(0))
        assert measure_errors(outputs, expected, inputs, "")["output"] == np.inf
        assert 0 < measure_errors(outputs, expected, inputs, "reordered")["output"] < LIMIT

    @pytest.mark.parametrize("layer", LAYERS)
    def test_an_operator_that_computes_something_else_is_found_out(self, layer: str) -> None:
        """Bits that agree with the reference do not help where both disagree with the definition."""
        inputs = draw(layer, training=layer == "dropout")
        for name, array in reference(**inputs).items():
            for wrong in (np.zeros_like(array), -array, np.roll(array, 1, axis=-1)):
                if array.size:
                    both = {**reference(**inputs), name: wrong}
                    if layer == "dropout" and name == "output" and not wrong.any():
                        continue  # a mask that drops everything is a possible one; its gradient is held to it
                    assert max(measure_errors(both, both, inputs, "").values()) > 100 * LIMIT, name

    def test_infinity_and_nan_are_errors(self) -> None:
        inputs = draw()
        expected = reference(**inputs)
        for wrong in (np.inf, np.nan):
            outputs = {**expected, "grad_bias": np.full_like(expected["grad_bias"], wrong)}
            assert measure_errors(outputs, expected, inputs, "reordered")["grad_bias"] == np.inf

    @pytest.mark.parametrize(
        ("layer", "changes", "message"),
        [
            ("relu", {"depth": 2}, "a chain of depth 2"),
            ("conv2d", {"variant": "parametrized"}, "not of conv2d"),
            ("embedding", {"strided": True}, "strided=True"),
            ("batch_norm2d", {"bias": False}, "bias=False"),
        ],
    )
    def test_a_form_that_a_layer_does_not_have(self, layer: str, changes: Inputs, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            draw(layer, **changes)


class TestStyles:
    @pytest.mark.parametrize("layer", LAYERS)
    def test_captured_means_that_no_module_is_at_hand(self, layer: str) -> None:
        def holds_module(style: str) -> bool:
            return any(isinstance(value, nn.Module) for value in prepare(style, layer).names.values())

        assert not holds_module("functional")
        assert not holds_module("aten")
        assert holds_module("module")
        assert holds_module("functional_lookup")

    @pytest.mark.parametrize("style", STYLES)
    def test_grad_mode_is_that_of_the_case(self, style: str) -> None:
        for grad in (True, False):
            prepared = prepare(style, grad=grad)
            assert prepared.value().requires_grad == grad
            assert [part.numel() > 0 for part in outputs_of(prepared)] == [True, grad, grad, grad]

    @pytest.mark.parametrize(("style", "looks"), [("module", 2), ("functional_call", 2), ("module_forward", 0)])
    def test_hooks_are_run_by_call_and_not_by_forward(
        self, style: str, looks: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[nn.Module] = []
        monkeypatch.setattr(layers, "_look", lambda module, inputs, output: seen.append(module))
        prepare(style, hooks=2).value()
        assert len(seen) == looks

    def test_a_class_with_a_call_of_its_own_is_called_by_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[Tensor] = []

        def noting(self: nn.Module, x: Tensor) -> Any:
            seen.append(x)
            return nn.Linear.__call__(self, x)

        monkeypatch.setattr(layers.LinearWithOwnCall, "__call__", noting)
        prepare("module", variant="own_call").value()
        prepare("module_forward", variant="own_call").value()
        assert len(seen) == 1

    def test_a_hook_on_all_modules_is_refused(self) -> None:
        handle = nn.modules.module.register_module_forward_hook(lambda module, inputs, output: None)
        try:
            with pytest.raises(RuntimeError, match="a global hook on modules"):
                prepare("module")
        finally:
            handle.remove()

    @pytest.mark.parametrize("style", STYLES)
    def test_dropout_in_training_draws_the_same_mask(self, style: str) -> None:
        prepared = prepare(style, "dropout", width=200, training=True)
        output = outputs_of(prepared)[0].numpy()
        assert output.tobytes() == reference(**draw("dropout", width=200, training=True))["output"].tobytes()
        assert 0.4 < np.mean(output == 0) < 0.6

    @pytest.mark.parametrize("style", STYLES)
    def test_running_statistics_of_the_inputs_are_not_written(self, style: str) -> None:
        inputs = {name: torch.tensor(value) if isinstance(value, np.ndarray) else value
                  for name, value in draw("batch_norm2d", training=True).items()}  # fmt: skip
        before = inputs["running"].clone()
        load(style).function(**inputs).value()
        assert torch.equal(inputs["running"], before)

    def test_modules_hold_the_very_tensors_that_are_given(self) -> None:
        weight = torch.zeros(1, 4, 4)
        prepared = load("module").function(
            torch.zeros(2, 4), weight, torch.zeros(0), torch.zeros(0), torch.zeros(2, 4), Settings("linear")
        )
        weight += 1
        assert prepared.names["layer"].weight.sum() == 16


class TestCompiled:
    def test_both_forms_are_right_on_a_short_chain(self) -> None:
        """Of another depth than the one that they declare, which takes several times as long to compile."""
        inputs = draw(depth=2, grad=False)
        expected = reference(**inputs)
        for style in ("compiled_module", "compiled_function"):
            outputs = dict(
                zip(expected, (part.numpy() for part in outputs_of(prepare(style, depth=2, grad=False))), strict=True)
            )
            assert max(measure_errors(outputs, expected, inputs, "reordered").values()) < LIMIT, style

    def test_without_a_compiler_they_cannot_run_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(Unavailable, match=r"needs a C\+\+ compiler; none of CXX, g\+\+ and clang\+\+ was found"):
            compiled(lambda x: x)

    @pytest.mark.gpu
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    @pytest.mark.parametrize("style", ["cuda_graph_module", "cuda_graph_functional"])
    def test_replays_of_a_graph_are_right(self, style: str) -> None:
        inputs = draw(depth=3, grad=False)
        handed = {
            name: torch.tensor(value, device="cuda") if isinstance(value, np.ndarray) else value
            for name, value in inputs.items()
        }
        output = outputs_of(load(style).function(**handed))[0].cpu().numpy()
        expected = reference(**inputs)["output"]
        assert np.max(np.abs(output - expected)) < LIMIT * np.max(np.abs(expected))


class TestProbes:
    """The counts that claims rest on, and that each of them can come out otherwise."""

    @pytest.mark.parametrize(
        "style", ["module", "functional", "functional_lookup", "module_forward", "functional_call"]
    )
    def test_no_style_differs_by_a_bit(self, style: str) -> None:
        found = probed("bits", load(style), shapes=4)
        assert (found["differing"], found["compared"]) == (0, 4 * (len(LAYERS) + 2))

    def test_a_style_that_rounds_otherwise_is_counted(self) -> None:
        plain = load("functional").function

        def rounding(**inputs: Any) -> Inline:
            prepared = plain(**inputs)
            other = (
                f"({prepared.expression}) * 1.0000001" if inputs["settings"].layer == "linear" else prepared.expression
            )
            return Inline(other, prepared.names, answer=prepared.answer, within=prepared.within)

        fake = Implementation(rounding, SUITE, arrays="torch", inline=True)
        found = {name: series[0] for name, series in bits_that_differ(np.random.default_rng(0), fake, 3).items()}
        assert found["linear"] > 0
        assert found["differing"] == found["linear"]

    def test_what_differs_by_default_is_what_drops_by_default(self) -> None:
        """Defaults that torch documents: functions of dropout go on dropping, those of alpha dropout do not begin."""
        found = probed("defaults")
        differing = {name for name, value in found.items() if value == 1 and name not in ("others", "compared")}
        assert differing == {"dropout", "dropout1d", "dropout2d", "dropout3d"}
        assert found["others"] == 0
        assert found["compared"] > 40

    def test_every_function_that_takes_a_mode_is_compared_or_known_not_to_have_such_a_module(self) -> None:
        taking = {
            name
            for name, function in vars(F).items()
            if inspect.isfunction(function)
            and "training" in inspect.signature(function).parameters
            and not name.startswith("_")
            and not name.endswith("_")
        }
        assert taking == {"dropout", "batch_norm", "multi_head_attention_forward", *WITH_TRAINING}
        assert {name for name, _, _ in pairs_by_name()} >= {"dropout", "relu", *WITH_TRAINING}

    def test_defaults_that_differ_elsewhere_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(nn.Softplus, "forward", lambda self, x: x + 1)
        found = defaults_that_differ(np.random.default_rng(0), None)
        assert found["others"] == [1]

    def test_modules_carry_state_and_functions_none(self) -> None:
        found = probed("state")
        assert {name: count for name, count in found.items() if count == 0} == dict.fromkeys(
            ("modes", "round_trip", "dtype", "modules_without", "functions_with"), 0
        )
        assert found["modules"] > 100
        assert found["functions"] > 100

    def test_modules_that_do_not_obey_are_found_out(self) -> None:
        class Stuck(nn.Dropout):
            def forward(self, x: Tensor) -> Tensor:
                return F.dropout(x, self.p)

        class Forgetful(nn.Linear):
            def state_dict(self, *args: Any, **kwargs: Any) -> Any:
                return {name: torch.zeros_like(value) for name, value in super().state_dict(*args, **kwargs).items()}

        class Hidden(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.scale = nn.Parameter(torch.ones(2))

            def to(self, *args: Any, **kwargs: Any) -> Any:
                return self

        x = torch.randn(4, 8)
        assert not _obeys_its_mode("dropout", Stuck, x)
        assert not _obeys_its_mode("linear", nn.Dropout, x)
        assert not _takes_over_state(lambda: Forgetful(8, 2), x)
        assert not _moves(Hidden)

    def test_frames_are_those_of_the_claim(self) -> None:
        claim = next(claim for claim in SUITE.claims if claim.id == "module_vs_functional.6")
        counted: dict[str, dict[str, list[float]]] = {}
        for cell in claim.cells:
            assert isinstance(cell.evidence, ProbeValue)
            style = cell.evidence.implementation
            counted.setdefault(style, frames(np.random.default_rng(0), load(style)))
            assert counted[style][cell.evidence.value] == [cell.band.low], cell.label
        assert counted["module"]["linear_instructions"][0] > counted["functional_lookup"]["linear_instructions"][0] > 0

    def test_frames_of_a_known_call_are_counted(self) -> None:
        def inner() -> int:
            return 1

        def outer() -> int:
            return inner() + inner()

        known = implements(SUITE, inline=True)(
            lambda x, weight, bias, running, cotangent, settings: Inline("outer()", {"outer": outer})
        )
        assert frames(np.random.default_rng(0), known)["linear_frames"] == [3]


def test_the_work_of_linear_by_hand() -> None:
    """32 rows through 256 x 256 weights of 4 bytes."""
    assert SUITE.work is not None
    work = SUITE.work(4, layer="linear", width=256, batch=32)["call"]
    assert (work.flops, work.bytes_read, work.bytes_written) == (2 * 32 * 256**2, 4 * (32 + 256) * 256, 4 * 32 * 256)
