"""What is said about naming functions and fixing their arguments, with the bands fixed before any measurement."""

from __future__ import annotations

from typing import Any

from harness.contract import Band, Cell, Claim, CostDifference, CostRatio, ProbeValue, Where
from suites.api_export.settings import THIS

NOTES = "notes, pages 001 and 002"
TF_EXPORT = "tensorflow/python/util/tf_export.py"
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.14t", "pypy3.11")
CLAIMED_PYTHONS = PYTHONS[:4]
HOLDS = Band(1.0, 1.0)
NONE = Band(0.0, 0.0)

_KEPT = {
    "identity": "what the decorator returns is its argument",
    "found": "name to symbol and symbol to names",
    "name": "__name__ and __qualname__",
    "doc": "__doc__",
    "module": "__module__",
    "signature": "inspect.signature and getfullargspec",
    "type": "type and isinstance",
    "pickle": "the pickle",
    "calls": "values and exceptions of calls with 0 to 7 arguments",
}
_SCENARIOS = {
    "twice": "the same symbol twice: SymbolAlreadyExposedError",
    "twice_leaves_the_first": "the same symbol twice: the first names stay, the second are not taken",
    "twice_allowed": "the same symbol twice with allow_multiple_exports: both names lead to it",
    "another_api": "the same symbol for another API: no error, names of both",
    "subclass": "a subclass of an exported class: no names of its own, and may be exported",
    "below_a_wrapper": "export below two wraps decorators: names found from the outermost",
    "above_a_wrapper": "export above a wraps decorator: names found from outside and inside",
    "above_and_below": "export above and below a wraps decorator: SymbolAlreadyExposedError",
    "below_an_opaque_wrapper": "export below a decorator without __wrapped__: None from outside",
    "above_an_opaque_wrapper": "export above and below one without __wrapped__: two symbols, two names",
    "name_taken": "ours alone: another symbol under the same name: NameAlreadyTakenError",
}


def _where(how: str, python: str = THIS) -> Where:
    case: dict[str, Any] = {"task": "call", "how": how, "arity": 2, "depth": 1, "python": python}
    return Where(case, dtype="float64")


def _partial(how: str, python: str = THIS) -> Cell:
    other = {"positional": "closure", "keyword": "lambda_expression"}[how]
    label = f"f(a, b) with one argument fixed, {how}: partial over {other.replace('_', ' ')}"
    return Cell(label, CostRatio("partial", other, _where(how, python)), Band(high=1.0))


def _in_version(python: str, how: str) -> Claim:
    other = {"positional": "a closure", "keyword": "a lambda"}[how]
    return Claim(
        id=f"api_export.2.{how}.{python}",
        kind="cost",
        statement=f"Python {python}: partial with a {how} argument is cheaper to call than {other}.",
        source="common advice; notes, pages 001 and 002 on partial",
        cells=(_partial(how, python),),
        remark="In an interpreter of that version, where one is found on the path or among those of pyenv and uv.",
    )


CLAIMS = (
    Claim(
        id="api_export.1",
        kind="result",
        statement="tf_export only names a function: the symbol stays what it was.",
        source=f"{NOTES}; {TF_EXPORT}",
        sentence="@tf_export为函数取了个名字! Tensorflow经常看到定义的函数前面加了@tf_export。…"
        "首先,@tf_export是一个修饰符。修饰符的本质是一个函数",
        cells=tuple(Cell(label, ProbeValue("naming", value, {}, "exported"), HOLDS) for value, label in _KEPT.items()),
        profile="quick",
        remark="Fifteen symbols: functions of no to six arguments, with every kind of parameter, a lambda, a "
        "generator, a coroutine, a wrapper, a method, and classes with and without slots; 1 where all are kept.",
    ),
    Claim(
        id="api_export.1.clock",
        kind="cost",
        statement="Calling an exported function costs what calling a plain one does, within 3 ns.",
        source=f"{NOTES}; {TF_EXPORT}",
        cells=(
            Cell(
                "f(a, b), both as globals: exported less plain",
                CostDifference("exported", "direct", _where("none")),
                Band(-3.0, 3.0),
            ),
        ),
        unit="ns",
        profile="quick",
        remark="Per call, the empty loop taken out. The source prints no figure; 3 ns is this project's.",
    ),
    Claim(
        id="api_export.2",
        kind="cost",
        statement="partial is a cheaper way to fix arguments than a closure or a lambda.",
        source="common advice; notes, pages 001 and 002 on partial",
        cells=tuple(_partial(how) for how in ("positional", "keyword")),
        profile="quick",
        remark="In the interpreter that runs; the claims after it are those of each version. By keyword means that "
        "both call f(a, b=b). In rounds of about 10^5 calls that alternate, with the garbage collector off and every "
        "callable a global name.",
    ),
    *(_in_version(python, how) for python in CLAIMED_PYTHONS for how in ("positional", "keyword")),
    Claim(
        id="api_export.3",
        kind="result",
        statement="A partial fixes the first arguments and the given keywords: partial(f, *a, **k)(*b, **m) is "
        "f(*a, *b, **{**k, **m}), errors included, and nested partials are one.",
        source=f"{NOTES}; Python documentation, functools.partial",
        sentence="等号的右边的理解分两步: 1. functools.partial 1. api_export functools.partial是偏函数,"
        "它的本质简而言之是为函数固定某些参数。如:functools.partial(FuncA, p1)的作用是把函数FuncA的第一个参数固定为p1;",
        cells=tuple(
            Cell(label, ProbeValue("partial_calls", value, {"calls": 10_000}, "partial"), NONE)
            for value, label in (
                ("disagreements", "10,000 random calls, in each thousand: other value or other TypeError"),
                ("not_flat", "10,000 partials of depth 1 to 4, in each thousand: func is not the function"),
            )
        ),
        unit="calls",
        profile="quick",
        remark="Functions of no to six arguments with defaults, keyword-only and variable ones; keywords override, "
        "repeat and miss parameters, so that about half of the calls are TypeErrors.",
    ),
    Claim(
        id="api_export.4",
        kind="result",
        statement="Exporting a symbol twice raises SymbolAlreadyExposedError; names survive further decoration.",
        source=TF_EXPORT,
        cells=tuple(
            Cell(label, ProbeValue("exporting", value, {}, "exported"), HOLDS) for value, label in _SCENARIOS.items()
        ),
        profile="quick",
        remark="For functions, methods and classes; 1 where all are as stated. TensorFlow looks through its own "
        "wrappers only, ours through __wrapped__, and refuses names that are taken, which TensorFlow does not notice "
        "when it decorates.",
    ),
    Claim(
        id="api_export.5",
        kind="cost",
        statement="Decoration is paid once: 10,000 exported symbols add less than 10 ms to an import.",
        source="none; a requirement of this project",
        cells=(
            Cell(
                "module of 10,000 functions, with exports less without",
                CostDifference(
                    "exported",
                    "direct",
                    Where({"task": "import", "symbols": 10_000, "python": THIS}, dtype="float64"),
                ),
                Band(high=10e6),
            ),
        ),
        unit="ns",
        profile="quick",
        remark="A fresh interpreter imports the module, whose compiled file is there, and calls a hundred of its "
        "functions; its start is on both sides. The decorator's own module is imported with it.",
    ),
)
