"""The contract's own rules, told at import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.contract import Band, Case, Claim, Output, Suite, Tolerance, grid, implements


def make_suite(**changed: Any) -> Suite:
    fields: dict[str, Any] = {
        "name": "topic",
        "title": "A topic",
        "cases": grid(n=[1]),
        "make_inputs": lambda rng, n: {"points": n, "queries": n},
        "reference": reference,
        "phases": {"call": (Output("y", Tolerance()),)},
        "baseline": "b",
        "axis": "n",
    }
    return Suite(**(fields | changed))


def reference(points: Any, queries: Any) -> dict[str, Any]:
    return {"y": points}


def test_a_grid_is_every_combination_in_order() -> None:
    cases = grid(n=[1, 2], causal=[False, True]) + grid("full", n=[3], causal=[False])
    assert [case.label for case in cases] == [
        "n=1 causal=False", "n=1 causal=True", "n=2 causal=False", "n=2 causal=True", "n=3 causal=False",
    ]  # fmt: skip
    assert [case.profile for case in cases] == ["quick"] * 4 + ["full"]


@pytest.mark.parametrize("values", ["abc", [], 3])
def test_an_axis_is_a_list_of_values(values: Any) -> None:
    with pytest.raises(TypeError, match="non-empty list"):
        grid(n=values)


def test_cases_are_equal_by_their_parameters() -> None:
    assert Case.of({"a": 1, "b": 2}) == Case.of({"b": 2, "a": 1}, "full")
    assert len({Case.of({"a": 1, "b": 2}), Case.of({"b": 2, "a": 1}, "full")}) == 1
    assert Case.of({"a": 1}) != Case.of({"a": 2})
    assert dict(**Case.of({"a": 1})) == {"a": 1}


def test_full_holds_the_quick_cases_too() -> None:
    suite = make_suite(cases=grid(n=[1]) + grid("full", n=[2]))
    assert [case["n"] for case in suite.cases_of("quick")] == [1]
    assert [case["n"] for case in suite.cases_of("full")] == [1, 2]


def right(points: Any, queries: Any) -> Any:
    return points


def misspelt(point: Any, queries: Any) -> Any:
    return point


def swapped(queries: Any, points: Any) -> Any:
    return points


def extra(points: Any, queries: Any, leaf: Any) -> Any:
    return points


def missing(points: Any) -> Any:
    return points


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (misspelt, "rename 'point' to 'points'"),
        (swapped, r"in the order \('points', 'queries'\)"),
        (extra, "remove 'leaf'"),
        (missing, "add 'queries'"),
    ],
)
def test_wrong_parameter_names_say_what_to_rename(function: Callable[..., Any], advice: str) -> None:
    with pytest.raises(TypeError, match=advice):
        implements(make_suite())(function)


def test_a_suite_with_phases_needs_a_generator() -> None:
    suite = make_suite(phases={"build": (), "query": (Output("y", Tolerance()),)})

    def generator(points: Any, queries: Any) -> Iterator[Any]:
        yield
        yield points

    with pytest.raises(TypeError, match="write a generator"):
        implements(suite)(right)
    assert implements(suite)(generator).phase_names == ("build", "query")
    assert implements(suite, phases=("build",))(generator).phase_names == ("build",)
    with pytest.raises(TypeError, match="must be the first ones"):
        implements(suite, phases=("query",))(generator)


def test_mutates_must_name_an_input() -> None:
    with pytest.raises(TypeError, match="'other'"):
        implements(make_suite(), mutates=("other",))(right)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cases": ()}, "has no cases"),
        ({"phases": {"call": ()}}, "nothing could be checked"),
        ({"claims": (Claim("other.1", "count", "So.", "A paper", not_tested="why"),)}, "must begin with"),
        ({"claims": (Claim("topic.1", "count", "So.", "A paper", not_tested="why"),) * 2}, "more than one claim"),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_suite(**changed)


def test_an_empty_band_is_refused() -> None:
    with pytest.raises(ValueError, match="is empty"):
        Band(2.0, 1.0)
