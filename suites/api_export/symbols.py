"""Symbols to name: functions of every arity and kind, and classes, made afresh in a module of their own."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

MODULE = "api_export_symbols"
MOST_ARGUMENTS = 6

_SOURCE = '''
import functools

def with_defaults(a, b=2, *rest, c, d=4, **others):
    """Every kind of parameter."""
    return a, b, rest, c, d, others

def annotated(a: int, b: "str" = "x") -> tuple:
    return a, b

nameless = lambda a, b: (b, a)

def generator(a, b):
    """Yields its arguments."""
    yield a
    yield b

async def coroutine(a, b):
    return a, b

@functools.wraps(annotated)
def wrapper(*args, **kwargs):
    return annotated(*args, **kwargs)

class Plain:
    """A class."""

    def __init__(self, a, b):
        self.pair = a, b

    def method(self, a, b):
        return a, b

class Slotted:
    __slots__ = ("pair",)

    def __init__(self, a, b):
        self.pair = a, b
'''
_FUNCTIONS = ("with_defaults", "annotated", "nameless", "generator", "coroutine", "wrapper")


@contextmanager
def fresh_module() -> Iterator[ModuleType]:
    """A module with all symbols, which can be imported, and so pickled, until the end of the context."""
    module = ModuleType(MODULE)
    positional = "".join(
        f"def takes_{arity}({arguments}):\n    return [{arguments}]\n"
        for arity in range(MOST_ARGUMENTS + 1)
        for arguments in [", ".join("abcdef"[:arity])]
    )
    exec(_SOURCE + positional, module.__dict__)
    sys.modules[MODULE] = module
    try:
        yield module
    finally:
        del sys.modules[MODULE]


def nameable(module: ModuleType) -> dict[str, Any]:
    """The symbols of a fresh module that can be exported, each of which is another one inside."""
    symbols = {name: getattr(module, name) for name in (*_FUNCTIONS, "Plain", "Slotted")}
    symbols |= {f"takes_{arity}": getattr(module, f"takes_{arity}") for arity in range(MOST_ARGUMENTS + 1)}
    symbols["Plain.method"] = module.Plain.method
    del symbols["annotated"]  # which is inside the wrapper
    return symbols


def describe(symbol: Any) -> Mapping[str, Any]:
    """What a symbol is to its users; equal for two symbols that cannot be told apart by it."""
    return {
        "name": (symbol.__name__, symbol.__qualname__),
        "doc": symbol.__doc__,
        "module": symbol.__module__,
        "signature": (inspect.signature(symbol), inspect.getfullargspec(symbol)),
        "type": (type(symbol), isinstance(symbol, type), inspect.isroutine(symbol)),
        "pickle": _outcome(lambda: pickle.dumps(symbol)),
        "calls": [_outcome(partial(_result, symbol, n)) for n in range(MOST_ARGUMENTS + 2)],
    }


PROPERTIES = ("name", "doc", "module", "signature", "type", "pickle", "calls")


def _outcome(act: Callable[[], Any]) -> tuple[str, Any]:
    """What came of it, an error being as good as a value."""
    try:
        return "value", act()
    except Exception as error:
        return type(error).__name__, str(error)


def _result(symbol: Any, count: int) -> Any:
    """What a call with ``count`` arguments comes to in the end; one with keywords where the symbol wants them."""
    wants_keyword = "c" in inspect.signature(symbol).parameters and symbol.__name__ == "with_defaults"
    result = symbol(*range(count), **({"c": 0} if wants_keyword else {}))
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isgenerator(result):
        return list(result)
    return getattr(result, "pair", result)
