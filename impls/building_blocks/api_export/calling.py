"""Calls to time, as texts that any interpreter can run: a function, something made from it, and the call.

The function and what is made from it are global, as functions of a module are, for every contestant alike; arguments
are local. All end up calling the function with the same arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.contract import Inline
from impls.building_blocks.api_export.interpreters import find_python
from suites.api_export.settings import Settings

Rows = Sequence[Sequence[float]]


def called(settings: Settings, values: Rows, callee: str = "f", setup: str = "", **names: Any) -> Inline:
    """A call with all arguments, those that ``settings`` fixes by keyword as keywords.

    :param callee: the expression that finds what is called.
    :param setup: what is done with the function ``f`` beforehand.
    :param names: further names that ``setup`` and ``callee`` know.
    """
    arguments = _arguments(settings.fixed, settings.given, settings.how)
    return _inline(settings, values, f"{callee}({arguments})", function(settings) + setup, names)


def fixed(settings: Settings, values: Rows, template: str, **names: Any) -> Inline:
    """A call of what fixes some arguments of the function, in ``settings.depth`` steps.

    :param template: defines a function ``fix`` of a callable ``f`` and the arguments that one step fixes. In it
        ``{fixed}`` are these arguments and ``{given}`` those that are left, as parameters; ``{bound}`` the fixed ones
        as they are passed on, ``{call}`` all of them, ``{star}`` all with the left ones as ``*args, **kwargs``,
        ``{own}`` all with the fixed ones as attributes of ``self``, and ``{attributes}`` the names of those.
    """
    setup = [function(settings)]
    inner = "f"
    for number, step in enumerate(_steps(settings)):
        left = _left(settings, number)
        setup.append(_fill(template, step, left, settings.how))
        setup.append(f"g{number} = fix({inner}, {', '.join(step)})")
        inner = f"g{number}"
    expression = f"{inner}({', '.join(settings.given)})"
    return _inline(settings, values, expression, "\n".join(setup), names)


def called_with_defaults(settings: Settings, values: Rows) -> Inline:
    """A call that leaves out the fixed arguments, which are the defaults of the function's own parameters."""
    parameters = ", ".join((*settings.given, *(f"{name}={name}" for name in settings.fixed)))
    return _inline(settings, values, f"f({', '.join(settings.given)})", function(settings, parameters), {})


def function(settings: Settings, parameters: str = "") -> str:
    """The text of the function ``f``; without arguments it returns what it finds under the first one's name.

    :param parameters: as written between its brackets; its arguments without defaults when left out.
    """
    arguments = ", ".join(settings.arguments)
    value = f"[{arguments or 'a0'}]" if settings.returns == "all" else "a0"
    return f"def f({parameters or arguments}):\n    return {value}\n"


def _inline(settings: Settings, values: Rows, expression: str, setup: str, names: Mapping[str, Any]) -> Inline:
    rows = {f"a{position}": list(row) for position, row in enumerate(values)}
    return Inline(expression, {**rows, **names}, setup, find_python(settings.python))


def _steps(settings: Settings) -> list[tuple[str, ...]]:
    """The arguments that each step fixes: the first one those that are too many for one each, then one each, then none.

    Keywords are fixed from the last on, so that those which are left can still be passed by position.
    """
    names = settings.fixed if settings.how == "positional" else settings.fixed[::-1]
    first = max(min(1, len(names)), len(names) - settings.depth + 1)
    steps = [names[:first], *((name,) for name in names[first:])]
    return steps + [()] * (settings.depth - len(steps))


def _left(settings: Settings, number: int) -> tuple[str, ...]:
    """The arguments that are left to give after a step."""
    done = {name for step in _steps(settings)[: number + 1] for name in step}
    return tuple(name for name in settings.arguments if name not in done)


def _arguments(fixed: Sequence[str], given: Sequence[str], how: str, prefix: str = "") -> str:
    """Fixed and given arguments as they are passed on."""
    if how == "keyword":
        return ", ".join((*given, *(f"{name}={prefix}{name}" for name in fixed)))
    return ", ".join((*(f"{prefix}{name}" for name in fixed), *given))


def _fill(template: str, step: Sequence[str], left: Sequence[str], how: str) -> str:
    passed = _arguments(step, (), how)
    star = ", ".join(part for part in ("*args", passed, "**kwargs") if part)
    if how == "positional":
        star = ", ".join(part for part in (passed, "*args", "**kwargs") if part)
    return template.format(
        fixed=", ".join(step),
        given=", ".join(left),
        bound=passed,
        call=_arguments(step, left, how),
        star=star,
        own=_arguments(step, left, how, "self."),
        attributes=list(step),
    )
