"""A decorator that gives a symbol names and returns the symbol itself, after TensorFlow's ``api_export``.

It uses the standard library alone and imports next to nothing: what decorates ten thousand symbols is imported with
them, by any interpreter.

TensorFlow (tensorflow/python/util/tf_export.py) keeps no table of names when it decorates, so that two symbols can
claim one name unnoticed; this one does, and refuses. It also looks through ``__wrapped__``, not only through its own
kind of wrappers. The second set of names that TensorFlow keeps, those of its first version, is left out.

Two threads that export one symbol at the same moment may both be let through: between the look and the tag there is no
lock, as there is none in TensorFlow. Modules are imported under the interpreter's own.
"""

from __future__ import annotations

import functools
from typing import Any

_Function = type(lambda: None)


class SymbolAlreadyExposedError(Exception):
    """The symbol already has names for this API."""


class NameAlreadyTakenError(Exception):
    """Another symbol already has this name in this API."""


class InvalidSymbolNameError(Exception):
    """The name is none that this API may give."""


class Api:
    """The names of one API: name to symbol in a table, symbol to names in an attribute of the symbol."""

    __slots__ = ("attribute", "name", "packages", "reserved", "symbols")

    def __init__(self, name: str = "tensorflow", reserved: tuple[str, ...] = ("estimator",)) -> None:
        """:param reserved: top-level packages of components that have an API of their own."""
        self.name = name
        self.reserved = reserved
        self.attribute = f"_{name}_api_names"
        self.symbols: dict[str, Any] = {}
        self.packages: set[str] = set()
        """Those in which a name has been found good, since most names lie in few packages."""

    @property
    def export(self) -> Any:
        """The decorator: ``api.export("name", "another.name")(symbol)``."""
        return functools.partial(api_export, api=self)

    def symbol(self, name: str) -> Any:
        """What was exported under ``name``.

        :raises KeyError: nothing was.
        """
        return self.symbols[name]

    def names_of(self, symbol: Any) -> tuple[str, ...] | None:
        """The names of a symbol, through all wrappers that have ``__wrapped__``; None if it has none of its own."""
        names = getattr(undecorated(symbol), "__dict__", {}).get(self.attribute)
        return names if names is None else tuple(names)

    def canonical_name(self, symbol: Any) -> str | None:
        """The first of the names."""
        names = self.names_of(symbol)
        return names[0] if names else None

    def check(self, name: str) -> None:
        """:raises InvalidSymbolNameError: it is no dotted name, or of a package that is reserved."""
        parts = name.split(".")
        for part in parts:
            if not part.isidentifier():
                raise InvalidSymbolNameError(f"{name!r} is no dotted name; write it like 'package.symbol'")
        if parts[0] in self.reserved:
            raise InvalidSymbolNameError(f"{name!r} lies in {parts[0]!r}, which is kept for an API of its own")
        if len(parts) > 1:
            self.packages.add(".".join(parts[:-1]))

    def add(self, symbol: Any, names: tuple[str, ...], again: bool) -> None:
        """Give ``symbol`` its names; nothing is changed where that is refused."""
        target = undecorated(symbol)
        own = getattr(target, "__dict__", None)
        if own is None:
            raise TypeError(f"{symbol!r} has no __dict__ to keep its names in; export a function or class around it")
        if self.attribute in own and not again:  # not inherited: a subclass has no names until it is exported
            raise SymbolAlreadyExposedError(f"{symbol!r} is already exposed as {own[self.attribute]}")
        for name in names:
            if self.symbols.get(name, symbol) is not symbol:
                raise NameAlreadyTakenError(f"{name!r} is taken by {self.symbols[name]!r}; choose another name")
        try:
            setattr(target, self.attribute, names)
        except (AttributeError, TypeError) as error:
            raise TypeError(f"{symbol!r} takes no attributes to keep its names in ({error})") from error
        for name in names:
            self.symbols[name] = symbol


class api_export:  # noqa: N801  # a decorator, called like the one that it follows
    """Names a symbol; see :meth:`Api.export`.

    :raises SymbolAlreadyExposedError: when called on a symbol that has names, unless ``allow_multiple_exports``.
    :raises NameAlreadyTakenError: when called on another symbol than the one that has the name.
    :raises InvalidSymbolNameError: at once, for names that the API may not give.
    :raises TypeError: when called on what can keep no names.
    """

    __slots__ = ("_again", "_api", "_names")

    def __init__(self, *names: str, api: Api, allow_multiple_exports: bool = False) -> None:
        if not names:
            raise InvalidSymbolNameError("an exported symbol needs a name")
        for name in names:
            package, _, last = name.rpartition(".")
            if not (package in api.packages and last.isidentifier()):
                api.check(name)
        self._names = names
        self._api = api
        self._again = allow_multiple_exports

    def __call__(self, symbol: Any) -> Any:
        api, names = self._api, self._names
        if type(symbol) is _Function and len(names) == 1:  # the way of nearly all symbols, an import's whole cost
            own = symbol.__dict__
            fresh = api.attribute not in own and "__wrapped__" not in own
            if fresh and api.symbols.setdefault(names[0], symbol) is symbol:
                own[api.attribute] = names
                return symbol
        api.add(symbol, names, self._again)
        return symbol


def undecorated(symbol: Any) -> Any:
    """What is inside all wrappers that tell by ``__wrapped__`` what they wrap.

    :raises ValueError: they wrap each other in a circle.
    """
    inner = _wrapped(symbol)
    seen = {id(symbol)}
    while inner is not None:
        if id(inner) in seen:
            raise ValueError(f"{symbol!r} wraps itself")
        seen.add(id(inner))
        symbol, inner = inner, _wrapped(inner)
    return symbol


def _wrapped(symbol: Any) -> Any:
    """A class inherits ``__wrapped__`` and does not wrap by that."""
    if isinstance(symbol, type):
        return symbol.__dict__.get("__wrapped__")
    return getattr(symbol, "__wrapped__", None)


tf_export = Api().export
"""The decorator of one API, which is what most modules need."""
