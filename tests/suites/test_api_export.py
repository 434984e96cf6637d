"""Naming, wrapping and fixing: the exporter's errors, what calls look like, other interpreters, and every probe."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
import tempfile
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config import find_project
from harness.contract import Implementation, Inline, ProbeValue, Unavailable
from harness.discovery import load_catalogue
from harness.needs import needs_of
from harness.plan import Scope, make_plan
from harness.worker.calls import evaluate
from harness.worker.orders import QUICK
from impls.building_blocks.api_export import importing, interpreters
from impls.building_blocks.api_export.calling import called, fixed
from impls.building_blocks.api_export.exporting import (
    Api,
    InvalidSymbolNameError,
    NameAlreadyTakenError,
    SymbolAlreadyExposedError,
    undecorated,
)
from suites.api_export.claims import CLAIMS
from suites.api_export.probes import PROBES, exporting, naming, partial_calls
from suites.api_export.random_calls import draw_call, make_function
from suites.api_export.settings import Settings
from suites.api_export.suite import SUITE, make_inputs
from suites.api_export.symbols import describe, fresh_module, nameable

RNG = 20_260
FIXING = ("partial", "closure", "lambda_expression", "wraps_closure", "callable_class")


def load(name: str) -> Implementation:
    implementation = importlib.import_module(f"impls.api_export.{name}").call
    assert isinstance(implementation, Implementation)
    return implementation


def prepare(name: str, **case: Any) -> tuple[Inline, dict[str, Any]]:
    inputs = make_inputs(np.random.default_rng(RNG), **case)
    prepared = load(name).function(inputs["values"].tolist(), inputs["wanted"].tolist(), inputs["settings"])
    return prepared, inputs


class TestExporter:
    def test_what_it_returns_is_the_symbol_and_both_ways_are_found(self) -> None:
        api = Api()

        def f() -> None: ...

        assert api.export("package.f", "f")(f) is f
        assert api.symbol("package.f") is api.symbol("f") is f
        assert api.names_of(f) == ("package.f", "f")
        assert api.canonical_name(f) == "package.f"
        assert api.names_of(lambda: None) is None
        assert api.canonical_name(3) is None

    def test_errors_say_what_is_wrong(self) -> None:
        api = Api()

        def f() -> None: ...
        def g() -> None: ...

        api.export("a.f")(f)
        with pytest.raises(SymbolAlreadyExposedError, match=r"already exposed as \('a.f',\)"):
            api.export("a.h")(f)
        with pytest.raises(NameAlreadyTakenError, match=r"'a.f' is taken by .*choose another name"):
            api.export("a.g", "a.f")(g)
        with pytest.raises(KeyError):
            api.symbol("a.g")

    @pytest.mark.parametrize("name", ["", "a.", ".a", "a..b", "a b", "1a", "a.1"])
    def test_names_are_dotted_identifiers(self, name: str) -> None:
        with pytest.raises(InvalidSymbolNameError, match="is no dotted name"):
            Api().export("fine", name)

    def test_a_component_keeps_its_package(self) -> None:
        with pytest.raises(InvalidSymbolNameError, match="'estimator', which is kept"):
            Api().export("estimator.f")
        Api().export("estimators.f")
        with pytest.raises(InvalidSymbolNameError, match="needs a name"):
            Api().export()

    @pytest.mark.parametrize("symbol", [len, "text", [].append, object()])
    def test_what_has_no_dictionary_is_refused(self, symbol: Any) -> None:
        with pytest.raises(TypeError, match="has no __dict__ to keep its names in"):
            Api().export("a")(symbol)

    def test_what_takes_no_attributes_is_refused_and_keeps_no_name(self) -> None:
        api = Api()
        bound = nameless().method
        for symbol in (int, bound):
            with pytest.raises(TypeError, match="takes no attributes to keep its names in"):
                api.export("a.b")(symbol)
            with pytest.raises(KeyError):
                api.symbol("a.b")

    def test_a_partial_object_and_a_proxy_can_be_named(self) -> None:
        wrapt = pytest.importorskip("wrapt")
        api = Api()
        partial = api.export("a")(functools.partial(int, base=2))
        assert (api.names_of(partial), partial("11")) == (("a",), 3)

        def f() -> int:
            return 3

        proxy = wrapt.FunctionWrapper(f, lambda wrapped, instance, args, kwargs: wrapped())
        assert api.names_of(api.export("b")(proxy)) == api.names_of(f) == ("b",)

    def test_wrappers_in_a_circle_are_an_error(self) -> None:
        def f() -> None: ...
        def g() -> None: ...

        f.__wrapped__, g.__wrapped__ = g, f  # type: ignore[attr-defined]
        with pytest.raises(ValueError, match="wraps itself"):
            undecorated(f)

    def test_a_class_does_not_wrap_by_what_it_inherits(self) -> None:
        base = type("Base", (), {"__wrapped__": int})
        assert undecorated(base) is int
        derived = type("Derived", (base,), {})
        assert undecorated(derived) is derived


class nameless:  # noqa: N801
    def method(self) -> None: ...


class TestCalls:
    """What is timed, as text."""

    @pytest.mark.parametrize(
        ("how", "expression", "template_fields"),
        [
            ("none", "g0(a0, a1, a2)", "[] a0, a1, a2 | a0, a1, a2 | *args, **kwargs | a0, a1, a2"),
            ("positional", "g0(a2)", "a2 | a0, a1, a2 | a0, a1, *args, **kwargs | self.a0, self.a1, a2"),
            ("keyword", "g0(a0)", "a0 | a0, a2=a2, a1=a1 | *args, a2=a2, a1=a1, **kwargs | a0, a2=self.a2, a1=self.a1"),
        ],
    )
    def test_a_template_is_filled_by_how_arguments_are_fixed(
        self, how: Any, expression: str, template_fields: str
    ) -> None:
        template = "# {given} | {call} | {star} | {own}\ndef fix(f, {fixed}):\n    return f"
        inline = fixed(Settings("call", how, 3), [[1.0], [2.0], [3.0]], template)
        assert inline.expression == expression
        assert template_fields.removeprefix("[] ") in inline.setup

    def test_direct_keyword_calls_pass_keywords(self) -> None:
        assert called(Settings("call", "keyword", 3), [[0.0]] * 3).expression == "f(a0, a1=a1, a2=a2)"

    @pytest.mark.parametrize("name", FIXING)
    @given(how=st.sampled_from(["positional", "keyword"]), arity=st.integers(1, 6), depth=st.integers(1, 7))
    def test_fixed_in_steps_all_arguments_arrive_in_order(self, name: str, how: str, arity: int, depth: int) -> None:
        inline, inputs = prepare(name, task="call", how=how, arity=arity, depth=depth, returns="all")
        assert evaluate(inline) == inputs["values"].tolist()

    def test_partials_are_one_and_closures_are_as_many_as_the_steps(self) -> None:
        for name, layers in (("partial", 1), ("closure", 3)):
            inline, _ = prepare(name, task="call", how="positional", arity=4, depth=3)
            scope: dict[str, Any] = dict(inline.names)
            exec(inline.setup, scope)
            assert sum(1 for _ in unwrapped(scope["g2"], scope["f"])) == layers

    def test_lambda_and_closure_are_the_same_bytecode(self) -> None:
        """So that what they differ by is what measuring cannot tell apart."""
        codes = []
        for name in ("closure", "lambda_expression"):
            inline, _ = prepare(name, task="call", how="keyword", arity=2)
            scope: dict[str, Any] = dict(inline.names)
            exec(inline.setup, scope)
            codes.append(scope["g0"].__code__.co_code)
        assert codes[0] == codes[1]


def unwrapped(found: Any, function: Any) -> Any:
    """The layers around a function, from outside."""
    while found is not function:
        yield found
        if isinstance(found, FunctionType):
            cells = dict(zip(found.__code__.co_freevars, found.__closure__ or (), strict=True))
            found = cells["f"].cell_contents
        else:
            found = found.func


class TestInterpreters:
    def test_this_one_needs_no_other(self) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        assert interpreters.running_version().removesuffix("t") == version
        assert interpreters.find_python("this") == interpreters.find_python(interpreters.running_version()) == ""

    def test_one_that_is_not_there_is_unavailable_by_name(self) -> None:
        with pytest.raises(Unavailable, match=r"Python 3\.99 is not installed"):
            interpreters.find_python("3.99")
        with pytest.raises(Unavailable, match=r"Python 3\.99 is not installed"):
            prepare("partial", task="call", how="keyword", arity=2, python="3.99")

    def test_a_program_of_another_version_is_not_taken_for_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("python3.98", "python3.99"):
            (tmp_path / name).symlink_to(sys.executable)
        (tmp_path / "python3.97").write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "python3.97").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        for version in ("3.97", "3.98", "3.99"):
            with pytest.raises(Unavailable):
                interpreters.find_python(version)

    @pytest.mark.parametrize("name", [*FIXING, "direct", "exported", "default_arguments", "dict_registry"])
    def test_the_texts_run_without_anything_of_this_process(self, name: str) -> None:
        """This interpreter's program, started anew, stands in for another one."""
        how = "keyword" if name in (*FIXING, "default_arguments") else "none"
        inline, inputs = prepare(name, task="call", how=how, arity=2, returns="all")
        elsewhere = Inline(inline.expression, inline.names, inline.setup, sys.executable)
        assert evaluate(elsewhere) == inputs["values"].tolist()


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files go where a test's do, as a worker's go where its own do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("own_folder")
class TestImports:
    def test_modules_differ_by_their_exports_alone(self) -> None:
        plain, exported = (
            (importing.write_module([0.5, 1.5], flag) / "symbols.py").read_text().split("\n") for flag in (False, True)
        )
        assert [line for line in exported if "tf_export" not in line and "Api" not in line and line] == [
            line for line in plain if line
        ]
        assert sum("@tf_export" in line for line in exported) == 2

    @pytest.mark.parametrize("name", ["direct", "exported"])
    def test_what_is_imported_is_asked_by_name(self, name: str) -> None:
        inline, inputs = prepare(name, task="import", symbols=5)
        assert evaluate(inline) == inputs["values"][inputs["wanted"]].tolist()


class TestProbes:
    """Each probe on what the claims name, and on something wrong that it must find."""

    def test_every_count_and_result_claim_holds_or_fails_by_its_probes(self) -> None:
        cells = [cell for claim in CLAIMS for cell in claim.cells if isinstance(cell.evidence, ProbeValue)]
        needs = dict.fromkeys(need for cell in cells for need in needs_of(cell.evidence))
        rng = np.random.default_rng(RNG)
        found = {need: PROBES[need.probe].measure(rng, load(need.implementation), **need.case) for need in needs}
        assert len(cells) == 22
        for cell in cells:
            (need,) = needs_of(cell.evidence)
            values = found[need][cell.evidence.value]  # type: ignore[union-attr]
            assert values, cell.label
            assert all(cell.band.low <= value <= cell.band.high for value in values), cell.label

    def test_naming_tells_a_wrapper_from_a_name(self) -> None:
        """functools.wraps keeps how a function looks, and nothing else."""

        class Wrapping(Api):
            @property
            def export(self) -> Any:
                def exported(*names: str) -> Any:
                    def decorate(symbol: Any) -> Any:
                        Api.export.fget(self)(*names)(symbol)  # type: ignore[attr-defined]
                        return functools.wraps(symbol)(lambda *args, **kwargs: symbol(*args, **kwargs))

                    return decorate

                return exported

        kept = naming(np.random.default_rng(0), counting(Wrapping))
        assert set(kept["identity"]) == {0.0}
        assert set(kept["name"]) == {1.0}
        assert 0 < np.mean(kept["type"]) < 1  # a class has become a function
        assert np.mean(kept["signature"]) < 1  # getfullargspec does not look through

    def test_exporting_finds_a_registry_that_forgets(self) -> None:
        class Forgetful(Api):
            @property
            def export(self) -> Any:
                def exported(*names: str, **options: Any) -> Any:
                    return lambda symbol: setattr(symbol, self.attribute, names) or symbol

                return exported

        found = exporting(np.random.default_rng(0), counting(Forgetful))
        assert set(found["twice"]) == set(found["name_taken"]) == {0.0}
        assert set(found["below_a_wrapper"]) == {1.0}

    @pytest.mark.parametrize(
        ("partial", "wrong"),
        [
            (lambda f, /, *a, **k: functools.partial(f, *a), "disagreements"),
            (lambda f, /, *a, **k: functools.partial(f, *a[::-1], **k), "disagreements"),
            (lambda f, /, *a, **k: with_func(f, lambda *b, **m: f(*a, *b, **{**m, **k})), "disagreements"),
            (lambda f, /, *a, **k: with_func(f, lambda *b, **m: f(*a, *b, **{**k, **m})), "not_flat"),
        ],
    )
    def test_partial_calls_find_a_wrong_partial(self, partial: Any, wrong: str) -> None:
        """Keywords dropped, positions swapped, the earlier keyword winning, and layers that stay apart."""
        found = partial_calls(np.random.default_rng(0), counting(partial), 1000)
        assert found[wrong][0] > 0

    def test_about_half_of_the_random_calls_are_refused(self) -> None:
        found = partial_calls(np.random.default_rng(0), load("partial"), 2000)
        assert all(300 < refused < 700 for refused in found["refused"])

    def test_random_calls_have_every_depth_and_kind_of_parameter(self) -> None:
        rng = np.random.default_rng(0)
        drawn = [draw_call(rng) for _ in range(500)]
        assert {len(each.fixed) for each in drawn} == {1, 2, 3, 4}
        kinds = {p.kind for each in drawn for p in inspect.signature(each.function).parameters.values()}
        assert len(kinds) == 4
        assert make_function(3, 1, True, True)(1, 2, 7, c=5, x=6) == [1, 2, 5, (7,), {"x": 6}]

    def test_symbols_are_of_every_arity_and_kind(self) -> None:
        with fresh_module() as module:
            symbols = nameable(module)
            assert len(symbols) == 15
            assert {f"takes_{arity}" for arity in range(7)} < set(symbols)
            assert describe(symbols["coroutine"])["calls"][2] == ("value", (0, 1))
            assert describe(symbols["takes_2"])["pickle"][0] == "value"
        assert module.__name__ not in sys.modules


def test_an_expression_is_planned_on_one_thread_alone() -> None:
    catalogue = load_catalogue(find_project(Path(__file__).parents[2])).select(["api_export"])
    plan = make_plan(catalogue, Scope("full", ("cpu",), 2, seed=0), dataclasses.replace(QUICK, rounds=1))
    assert {trial.threads for trial in plan.trials} == {1}


def counting(counters: Any) -> Implementation:
    """An implementation for probes alone."""
    return Implementation(function=lambda: None, suite=SUITE, counters=counters)


def with_func(function: Any, made: Any) -> Any:
    made.func = function
    return made


def test_the_projects_own_registry_is_asked_once_for_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real case of a registry: when a quick run of everything is planned, each trial is looked up once."""
    catalogue = load_catalogue(find_project(Path(__file__).parents[2]))
    find, asked = type(catalogue).find, []
    monkeypatch.setattr(
        type(catalogue), "find", lambda self, suite, name: asked.append((suite, name)) or find(self, suite, name)
    )
    plan = make_plan(catalogue, Scope("quick", ("cpu",), 2, seed=0), QUICK)
    with_implementation = [trial for trial in (*plan.trials, *(s.trial for s in plan.skipped)) if trial.implementation]
    assert len(with_implementation) == len(asked) > 1_000
