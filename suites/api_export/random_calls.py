"""Random functions, and random ways to fix some of their arguments and give the others; many of them are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

BATCH = 1_000
DEEPEST = 4
_NAMES = "abcdef"
_UNKNOWN = "z"

Arguments = tuple[Sequence[int], Mapping[str, int]]


@dataclass(frozen=True)
class Call:
    """A function, the arguments that each nested partial fixes, and those that the call gives."""

    function: Callable[..., Any]
    fixed: tuple[Arguments, ...]
    given: Arguments

    def merged(self) -> Arguments:
        """All of them as one plain call has them: positional ones in order, later keywords over earlier ones."""
        steps = (*self.fixed, self.given)
        positional = [value for args, _ in steps for value in args]
        return positional, {name: value for _, keywords in steps for name, value in keywords.items()}


def draw_call(rng: np.random.Generator) -> Call:
    """A call through one to four partials, about half of which the function cannot take."""
    arity = int(rng.integers(len(_NAMES) + 1))
    defaults = int(rng.integers(arity + 1))
    function = make_function(arity, defaults, bool(rng.random() < 0.2), bool(rng.random() < 0.3))
    depth = int(rng.integers(1, DEEPEST + 1))
    steps = [_draw_arguments(rng, arity, depth) for _ in range(depth + 1)]
    return Call(function, tuple(steps[:-1]), steps[-1])


def _draw_arguments(rng: np.random.Generator, arity: int, depth: int) -> Arguments:
    positional = rng.integers(100, size=rng.binomial(arity, 0.5 / (depth + 1))).tolist()
    later = [name for name in _NAMES[arity // 2 : arity] if rng.random() < 0.4]
    unknown = [_UNKNOWN] if rng.random() < 0.05 else []
    return positional, {name: int(rng.integers(100)) for name in (*later, *unknown)}


@cache
def make_function(arity: int, defaults: int, variable: bool, keyword_only: bool) -> Callable[..., Any]:
    """A function of ``arity`` arguments, the last ``defaults`` with a default, that returns all that it was given.

    :param variable: whether it takes ``*rest`` and ``**others``.
    :param keyword_only: whether the last one can be given by keyword alone.
    """
    names = list(_NAMES[:arity])
    parameters = [f"{name}=-{place}" if place >= arity - defaults else name for place, name in enumerate(names)]
    if variable:
        parameters.insert(arity - 1 if keyword_only and arity else arity, "*rest")
        parameters.append("**others")
    elif keyword_only and arity:
        parameters.insert(arity - 1, "*")
    returned = ", ".join((*names, *(("rest", "others") if variable else ())))
    scope: dict[str, Any] = {}
    exec(f"def function({', '.join(parameters)}):\n    return [{returned}]\n", scope)
    made: Callable[..., Any] = scope["function"]
    return made
