"""What one case asks for: which task, how arguments get to the function, and which interpreter does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["call", "look_up", "import"]
How = Literal["none", "positional", "keyword"]
THIS = "this"


@dataclass(frozen=True)
class Settings:
    """One case.

    :param task: ``call`` a function, ``look_up`` many objects by name, or ``import`` a module in a fresh interpreter.
    :param how: of a call, which arguments are fixed beforehand. ``none``: all are given at the call. ``positional``:
        all but the last, by position. ``keyword``: all but the first, by keyword.
    :param arity: how many arguments the function ends up with.
    :param depth: in how many steps they are fixed, each around the one before; with ``none`` the layers around it.
    :param symbols: of the other tasks, how many names there are.
    :param returns: the function's ``first`` argument, or ``all`` of them in order.
    :param python: the interpreter: ``this`` one, or ``3.12``, ``3.14t`` (free-threaded), ``pypy3.11``.
    """

    task: Task
    how: How = "none"
    arity: int = 2
    depth: int = 1
    symbols: int = 1
    returns: Literal["first", "all"] = "first"
    python: str = THIS

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the function's parameters."""
        return tuple(f"a{position}" for position in range(self.arity))

    @property
    def fixed(self) -> tuple[str, ...]:
        """Those that are fixed before the call."""
        if self.how == "positional":
            return self.arguments[:-1]
        return self.arguments[1:] if self.how == "keyword" else ()

    @property
    def given(self) -> tuple[str, ...]:
        """Those that are given at the call."""
        return tuple(name for name in self.arguments if name not in self.fixed)
