"""Broadcasting and overlap: worked answers, the checker against all addresses, what counts as a silent difference."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contract import Implementation, Raised
from suites.expand.behaviour import observe, write_to_clone
from suites.expand.judging import TOO_HARD, left_open, measure_errors, refusals
from suites.expand.layouts import draw_layouts, overlaps
from suites.expand.operations import Operation, writing_operations
from suites.expand.patterns import uses, writes
from suites.expand.probes import checker, patterns, storage, strides, writing
from suites.expand.proposals import MOST_TRIES, propose
from suites.expand.reference import reference, resolve
from suites.expand.survey import cured, find_trials, survey

NO_LAYOUTS = np.zeros((0, 2, 1), np.int64)
WAYS = ("expand", "broadcast_to", "expand_clone", "expand_contiguous", "repeat", "tile")


def load(name: str, function: str = "broadcast") -> Implementation:
    implementation = getattr(importlib.import_module(f"impls.expand.{name}"), function)
    assert isinstance(implementation, Implementation)
    return implementation


def answer(x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], operation: str, step: int = 1) -> Any:
    return reference(x, other, shape, step, NO_LAYOUTS, operation)["value"]


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


class TestReference:
    X, ONES = np.array([[1.0], [2.0]]), np.ones((2, 3))

    def test_a_write_changes_the_copies_and_not_x(self) -> None:
        assert answer(self.X, self.ONES, (2, 3), "write").tolist() == [2, 2, 2, 3, 3, 3, 1, 2]

    def test_the_gradient_is_the_sum_over_the_copies(self) -> None:
        other = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        assert answer(self.X, other, (2, 3), "backward").tolist() == [[6.0], [15.0]]

    def test_of_every_second_column_the_others_get_no_gradient(self) -> None:
        x = np.array([[1.0, 7.0], [2.0, 8.0]])
        assert answer(x, self.ONES, (2, 3), "backward", step=2).tolist() == [[3.0, 0.0], [3.0, 0.0]]

    def test_whole_numbers_have_no_gradient(self) -> None:
        assert answer(self.X.astype(np.int64), self.ONES, (2, 3), "backward") == Raised("no gradient")

    @settings(max_examples=60)
    @given(st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(-1, 3), max_size=4))
    def test_what_expands_is_what_torch_expands(self, before: list[int], shape: list[int]) -> None:
        try:
            expected = tuple(torch.empty(before).expand(shape).shape)
        except RuntimeError:
            expected = None
        if expected and min(expected) < 0:
            expected = None  # torch lets a new dimension be -1 where another has no elements, and returns a size of -1
        assert resolve(tuple(before), tuple(shape)) == expected


class TestJudging:
    LAYOUTS = np.array([[[3, 4], [1, 0]], [[3, 4], [4, 1]], [[3, 3], [1, 1]], [[0, 4], [1, 0]]])
    """A zero stride, a dense one, windows, and nothing."""

    @pytest.mark.parametrize(
        ("kind", "open_"),
        [
            ("exact", [False, False, False, False]),
            ("zero_stride", [False, True, True, True]),
            ("dense", [False, False, True, False]),
            ("sorted", [False, False, True, False]),
        ],
    )
    def test_each_kind_of_checker_has_to_decide_what_its_rules_decide(self, kind: str, open_: list[bool]) -> None:
        assert left_open(self.LAYOUTS, kind).tolist() == open_

    def test_too_hard_is_no_answer_elsewhere(self) -> None:
        inputs = {"operation": "overlap", "layouts": self.LAYOUTS}
        expected = {"value": np.array([1.0, 0.0, 1.0, 0.0])}
        found = {"value": np.array([1.0, TOO_HARD, TOO_HARD, 0.0])}
        assert measure_errors(found, expected, inputs, "zero_stride")["value"] == 0.0
        assert measure_errors(found, expected, inputs, "sorted")["value"] == 0.25
        assert measure_errors(found, expected, inputs, "exact")["value"] == 0.5

    def test_only_a_view_may_refuse_and_only_to_be_written(self) -> None:
        assert "overlap" in refusals({"operation": "write"}, "view")
        assert not refusals({"operation": "read"}, "view")
        assert not refusals({"operation": "write"}, "copy")


class TestWays:
    @pytest.mark.parametrize("name", WAYS)
    def test_views_share_storage_and_copies_are_contiguous(self, name: str) -> None:
        implementation = load(name)
        x = torch.arange(3.0)[:, None]
        made = implementation.counters(x, (3, 4))  # type: ignore[misc]
        if implementation.kind == "view":
            assert made.stride() == (1, 0)
            assert made.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
        else:
            assert made.is_contiguous()
            assert made.untyped_storage().nbytes() == 4 * x.untyped_storage().nbytes()

    def test_contiguous_of_nothing_to_expand_is_x_itself(self) -> None:
        x = torch.zeros(2, 3)
        load("expand_contiguous").counters(x, (2, 3)).add_(1)  # type: ignore[misc]
        assert x.sum() == 6

    @pytest.mark.parametrize("name", ["numpy_broadcast_to", "numpy_as_strided"])
    def test_views_of_numpy_cannot_be_written_into(self, name: str) -> None:
        made = load(name).counters(np.arange(3.0)[:, None], (3, 4))  # type: ignore[misc]
        assert made.strides == (8, 0)
        with pytest.raises(ValueError, match="read-only"):
            made += 1


class TestChecker:
    @settings(max_examples=150)
    @given(st.integers(0, 2**32), st.integers(1, 6))
    def test_it_agrees_with_all_addresses_written_down(self, seed: int, dims: int) -> None:
        layouts = draw_layouts(np.random.default_rng(seed), 8, dims)
        found = load("overlap_search", "check").counters(layouts)  # type: ignore[misc]
        assert found.tolist() == [overlaps(*layout) for layout in layouts]

    def test_the_random_layouts_are_of_both_kinds(self) -> None:
        counted = checker(rng(), load("overlap_search", "check"), count=600)
        assert counted["false_negatives"] == counted["false_positives"] == [0]
        assert 100 < counted["overlapping"][0] < 500

    def test_a_checker_that_knows_zero_strides_only_misses_overlaps(self) -> None:
        class ZeroStrides:
            function = None

            @staticmethod
            def counters(layouts: np.ndarray) -> np.ndarray:
                return ((layouts[:, 1] == 0) & (layouts[:, 0] > 1)).any(axis=1)

        assert checker(rng(), ZeroStrides(), count=600)["false_negatives"][0] > 50  # type: ignore[arg-type]


def expanded(base: torch.Tensor, shape: tuple[int, ...] = (3, 4)) -> torch.Tensor:
    return base.expand(shape)


def _told(view: torch.Tensor) -> None:
    warnings.warn("take care", stacklevel=1)
    _storage(view, 3).zero_()


class TestBehaviour:
    """Writes through the base's storage stand for kernels that do not look at strides."""

    @pytest.mark.parametrize(
        ("write", "title", "outside"),
        [
            (lambda view: view.add_(1), "raise", False),
            (lambda view: view.reshape(5, 5), "raise another", False),
            (lambda view: view.numel(), "match", False),
            (lambda view: _storage(view, 3).fill_(7), "differ-base", False),
            (lambda view: _storage(view, 1).fill_(7), "differ", False),
            (lambda view: _storage(view, 4).fill_(7), "differ", True),
        ],
    )
    def test_answers_are_told_apart(self, write: Callable[[Any], Any], title: str, outside: bool) -> None:
        base = torch.arange(3.0)[:, None]
        meant = torch.full((3, 4), 7.0) if title.startswith("differ") else expanded(base).clone()
        found = observe(write, base, expanded, meant)
        assert (found.title, found.outside) == (title, outside)

    def test_a_warning_is_heard_and_neither_error_nor_silence(self) -> None:
        base = torch.arange(1.0, 4.0)[:, None]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = observe(_told, base, expanded, torch.zeros(3, 4))
        assert (found.title, found.warned) == ("warn+differ-base", "take care")

    def test_on_a_clone_nothing_differs(self) -> None:
        base = torch.arange(3.0)[:, None]

        def cloned(x: torch.Tensor) -> torch.Tensor:
            return x.expand(3, 4).clone()

        def write(view: torch.Tensor) -> torch.Tensor:
            return view.add_(1)

        assert observe(write, base, cloned, write_to_clone(write, base, cloned)).title == "match"


def _storage(view: torch.Tensor, count: int) -> torch.Tensor:
    """The first elements of memory behind a view, whatever its strides."""
    return view.as_strided((count,), (1,), view.storage_offset())


@pytest.fixture(scope="module")
def operations() -> dict[str, Operation]:
    return {operation.name: operation for operation in writing_operations()}


class TestIntrospection:
    def test_schemas_methods_operators_functions_and_out_are_found(self, operations: dict[str, Operation]) -> None:
        names = {
            "add_.Tensor", "zero_", "_foreach_add_.Scalar", "add.out", "Tensor.__setitem__(Ellipsis, number)",
            "Tensor.__iadd__", "functional.relu", "init.ones_", "Tensor.map_",
        }  # fmt: skip
        assert names <= set(operations)

    def test_what_changes_the_view_only_is_not(self, operations: dict[str, Operation]) -> None:
        assert not {"transpose_", "squeeze_", "set_", "as_strided_"} & set(operations)

    def test_every_method_that_torch_documents_as_in_place_is_there(self, operations: dict[str, Operation]) -> None:
        """The names ``Tensor.name_`` that have a docstring, but for those that do not write elements."""
        names = {operation.name.split(".")[0] for operation in operations.values()}
        names |= {name.split(".")[1].split("(")[0] for name in operations if name.startswith("Tensor.")}
        documented = {
            name for name in dir(torch.Tensor)
            if name.endswith("_") and not name.startswith("_") and getattr(torch.Tensor, name).__doc__
        }  # fmt: skip
        views = {
            packet for packet in documented - names
            if any(torch.Tag.inplace_view in getattr(getattr(torch.ops.aten, packet), overload).tags
                   for overload in getattr(torch.ops.aten, packet).overloads())
        }  # fmt: skip
        assert documented - names - views == set()

    def test_arguments_come_in_the_same_order_for_every_dtype(self, operations: dict[str, Operation]) -> None:
        scatter = operations["scatter_.src"]
        floats, integers = (list(propose(scatter, (3, 4), dtype)) for dtype in (torch.float32, torch.int64))
        assert len(floats) == len(integers) == MOST_TRIES
        for (one, _), (other, _) in zip(floats, integers, strict=True):
            assert [np.shape(each) for each in one] == [np.shape(each) for each in other]

    @pytest.mark.parametrize("name", ["add_.Tensor", "scatter_.src", "addmm_", "index_put_", "uniform_", "add.out"])
    def test_a_call_is_found_that_changes_a_clone(self, operations: dict[str, Operation], name: str) -> None:
        trial = next(find_trials(operations[name]))
        target = expanded(trial.base, trial.shape).clone()
        trial.write(target)
        assert not torch.equal(target, expanded(trial.base, trial.shape))

    @pytest.mark.parametrize("name", ["add_.Tensor", "relu_", "add.out", "functional.dropout", "uniform_"])
    def test_what_raises_is_cured_by_a_clone(self, operations: dict[str, Operation], name: str) -> None:
        trials = list(find_trials(operations[name]))
        (finding,) = survey({operations[name]: trials}, expanded)
        assert finding.worst is not None
        assert finding.worst.answer == "raise"
        assert all(cured(trial, expanded) for trial in trials)

    def test_out_of_place_is_checked_against_another_form(self, operations: dict[str, Operation]) -> None:
        trial = next(find_trials(operations["add_.Tensor"]))
        assert not cured(trial, lambda base, shape: base.expand(shape) + 1)


class TestProbes:
    def test_patterns(self) -> None:
        counted = patterns(rng(), None)
        assert counted["patterns"] == [len(uses())] == [20]
        assert counted["writes"] == [len(writes())] == [20]
        assert counted["wrong_gradients"] == [0]
        assert counted["cured"] == [1]
        assert counted["raising_before_backward"][0] + 10 < counted["raising_writes"][0]

    def test_views_that_overlap_without_a_zero_stride(self) -> None:
        counted = strides(rng(), None, compiled=False)
        pairs = counted["match"][0] + counted["differ"][0] + counted["differ_base"][0]
        assert counted["raising_share"][0] == pytest.approx(1 - pairs / 18)

    def test_bytes(self) -> None:
        view, copy = storage(rng(), load("expand")), storage(rng(), load("repeat"))
        assert (view["excess_bytes_1000"], view["shared_1000"]) == ([0], [True])
        assert (copy["excess_bytes_1000"], copy["copies_1000"], copy["shared_1000"]) == ([999 * 4096], [1000], [False])

    def test_every_in_place_operation_of_this_torch(self) -> None:
        """On clones none may differ; on views the classes add up to what was tested."""
        views = writing(rng(), load("expand"), "in place")
        classes = ("raise", "match", "warned_match", "differ_base", "differ")
        assert sum(views[name][0] for name in classes) == views["tested"][0]
        assert views["tested"][0] > 300
        assert views["tested"][0] > 0.9 * views["found"][0]
        assert views["cured"] == [1]
        assert not math.isnan(views["silent"][0])
