"""What the claims of api_export look at without a clock: what a name leaves as it was, and what partial computes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.contract import Implementation, Probe
from suites.api_export.random_calls import BATCH, Call, draw_call
from suites.api_export.symbols import PROPERTIES, describe, fresh_module, nameable

Counted = Mapping[str, Sequence[float]]


def naming(rng: np.random.Generator, implementation: Implementation) -> Counted:
    """Whether exporting leaves each of many symbols as it was: 1 or 0 for each, by property.

    ``identity``: the decorator returns its argument; ``found``: the registry leads from both names to the symbol and
    back; the others are those of :func:`suites.api_export.symbols.describe`, before against after.
    """
    kept: dict[str, list[float]] = {name: [] for name in ("identity", "found", *PROPERTIES)}
    with fresh_module() as module:
        api = _counters(implementation)()
        for name, symbol in nameable(module).items():
            before = describe(symbol)
            names = (f"module.{name}", f"other.{name}")
            exported = api.export(*names)(symbol)
            after = describe(exported)
            kept["identity"].append(float(exported is symbol))
            found = all(api.symbol(each) is symbol for each in names) and api.names_of(symbol) == names
            kept["found"].append(float(found))
            for each in PROPERTIES:
                kept[each].append(float(before[each] == after[each]))
    return kept


def exporting(rng: np.random.Generator, implementation: Implementation) -> Counted:
    """What is refused and what is found again: 1 where it is as stated, for a function, a method and a class each.

    Scenarios with wrappers are for functions and methods, that with a subclass for classes. Each has fresh symbols and
    registries.
    """
    results: dict[str, list[float]] = {}
    for kinds, scenarios in _SCENARIOS.items():
        for (name, scenario), kind in itertools.product(scenarios.items(), kinds):
            with fresh_module() as module:
                api = _counters(implementation)()
                try:
                    outcome = scenario(api, nameable(module)[kind], module.takes_3)
                except KeyError:  # a name that must lead to a symbol leads nowhere
                    outcome = False
                results.setdefault(name, []).append(float(bool(outcome)))
    return results


def partial_calls(rng: np.random.Generator, implementation: Implementation, calls: int) -> Counted:
    """Random calls of random functions through one to four nested partials, against the plain call.

    One number for each batch of calls. ``disagreements``: calls whose value, or whose TypeError's text, is another.
    ``not_flat``: partials whose ``func`` is not the function itself. ``refused``: calls that raised a TypeError, which
    says how much of the comparison is about errors.
    """
    partial = _counters(implementation)
    found: dict[str, list[float]] = {"disagreements": [], "not_flat": [], "refused": []}
    for _ in range(calls // BATCH):
        drawn = [draw_call(rng) for _ in range(BATCH)]
        made = [_nested(partial, each) for each in drawn]
        outcomes = [_outcome(f, *d.given) for f, d in zip(made, drawn, strict=True)]
        expected = [_outcome(d.function, *d.merged()) for d in drawn]
        pairs = list(zip(outcomes, expected, strict=True))
        found["disagreements"].append(float(sum(outcome != wanted for outcome, wanted in pairs)))
        found["not_flat"].append(float(sum(f.func is not d.function for f, d in zip(made, drawn, strict=True))))
        found["refused"].append(float(sum(kind == "TypeError" for kind, _ in expected)))
    return found


def _nested(partial: Callable[..., Any], call: Call) -> Any:
    """What fixes the call's arguments, step around step."""
    made: Any = call.function
    for args, keywords in call.fixed:
        made = partial(made, *args, **keywords)
    return made


def _outcome(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[str, Any]:
    try:
        return "value", function(*args, **keywords)
    except TypeError as error:
        return "TypeError", str(error)


def _refuses(error: str, act: Callable[[], Any]) -> bool:
    """Whether ``act`` raises an error of that name."""
    try:
        act()
    except Exception as raised:
        return type(raised).__name__ == error
    return False


def _transparent(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def _opaque(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)


def _twice(api: Any, symbol: Any, other: Any) -> object:
    api.export("a.b")(symbol)
    return _refuses("SymbolAlreadyExposedError", lambda: api.export("a.c")(symbol))


def _twice_leaves_the_first(api: Any, symbol: Any, other: Any) -> object:
    _twice(api, symbol, other)
    return api.names_of(symbol) == ("a.b",) and _refuses("KeyError", lambda: api.symbol("a.c"))


def _twice_allowed(api: Any, symbol: Any, other: Any) -> object:
    api.export("a.b")(symbol)
    exported = api.export("a.c", allow_multiple_exports=True)(symbol)
    return exported is symbol and api.symbol("a.b") is symbol is api.symbol("a.c")


def _another_api(api: Any, symbol: Any, other: Any) -> object:
    second = type(api)("another")
    api.export("a.b")(symbol)
    second.export("a.c")(symbol)
    return api.names_of(symbol) == ("a.b",) and second.names_of(symbol) == ("a.c",)


def _name_taken(api: Any, symbol: Any, other: Any) -> object:
    api.export("a.b")(symbol)
    return _refuses("NameAlreadyTakenError", lambda: api.export("a.c", "a.b")(other)) and api.names_of(other) is None


def _subclass(api: Any, symbol: Any, other: Any) -> object:
    api.export("a.b")(symbol)
    derived = type("Derived", (symbol,), {})
    inherited = api.names_of(derived)
    api.export("a.c")(derived)
    return inherited is None and api.names_of(derived) == ("a.c",) and api.names_of(symbol) == ("a.b",)


def _below_a_wrapper(api: Any, symbol: Any, other: Any) -> object:
    return api.names_of(_transparent(_transparent(api.export("a.b")(symbol)))) == ("a.b",)


def _above_a_wrapper(api: Any, symbol: Any, other: Any) -> object:
    wrapped = _transparent(symbol)
    exported = api.export("a.b")(wrapped)
    return exported is wrapped is api.symbol("a.b") and api.names_of(wrapped) == ("a.b",) == api.names_of(symbol)


def _above_and_below(api: Any, symbol: Any, other: Any) -> object:
    wrapped = _transparent(api.export("a.b")(symbol))
    return _refuses("SymbolAlreadyExposedError", lambda: api.export("a.c")(wrapped))


def _below_an_opaque_wrapper(api: Any, symbol: Any, other: Any) -> object:
    return api.names_of(_opaque(api.export("a.b")(symbol))) is None and api.names_of(symbol) == ("a.b",)


def _above_an_opaque_wrapper(api: Any, symbol: Any, other: Any) -> object:
    wrapped = api.export("a.b")(_opaque(api.export("a.c")(symbol)))
    return api.names_of(wrapped) == ("a.b",) and api.names_of(symbol) == ("a.c",)


def _counters(implementation: Implementation) -> Any:
    if implementation.counters is None:
        raise TypeError(f"{implementation.function.__module__} has no counters")
    return implementation.counters


Scenario = Callable[[Any, Any, Any], object]
"""An API, a symbol and another one; what comes of it is taken for true or false."""
_SCENARIOS: dict[tuple[str, ...], dict[str, Scenario]] = {
    ("takes_2", "Plain.method", "Plain"): {
        "twice": _twice,
        "twice_leaves_the_first": _twice_leaves_the_first,
        "twice_allowed": _twice_allowed,
        "another_api": _another_api,
        "name_taken": _name_taken,
    },
    ("Plain", "Slotted"): {"subclass": _subclass},
    ("takes_2", "Plain.method"): {
        "below_a_wrapper": _below_a_wrapper,
        "above_a_wrapper": _above_a_wrapper,
        "above_and_below": _above_and_below,
        "below_an_opaque_wrapper": _below_an_opaque_wrapper,
        "above_an_opaque_wrapper": _above_an_opaque_wrapper,
    },
}
"""By the symbols that they are for."""
PROBES = {
    "naming": Probe(naming, unit="1"),
    "exporting": Probe(exporting, unit="1"),
    "partial_calls": Probe(partial_calls, unit="calls"),
}
