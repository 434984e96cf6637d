"""How a function becomes an implementation of a suite."""

from __future__ import annotations

import difflib
import inspect
import keyword
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract.suite import Suite

ArrayKind = Literal["numpy", "torch", "python"]
Limit = float | tuple[Any, ...]


class Unavailable(Exception):
    """Raised by an implementation that cannot run on this machine for no fault of its own; the message says why."""


@dataclass(frozen=True)
class Raised:
    """An answer that is an error: delivered, by an implementation or the reference, in place of a phase's outputs.

    Where the reference delivers one, so must every implementation; elsewhere it is an answer only where the suite's
    ``refusals`` says so. It can be checked and not measured: what refuses has not done the work of the others.

    :param kind: the class of the error, in a word of the suite's own.
    """

    kind: str


@dataclass(frozen=True)
class Inline:
    """An expression that takes nanoseconds, where calling a function to get at it would cost more than it does.

    It is timed as the body of a loop that is compiled for it alone, in which its names are local variables; what the
    loop costs without it is measured in between and taken out.

    :param expression: Python; its value is the answer.
    :param names: the values of what it names.
    :param setup: statements that run once beforehand and know the names; what they define is global to the expression.
    :param python: the program of another interpreter that does all this in a process of its own, knowing nothing of
        this one but these texts; names and answer are then values that JSON has. Empty is the interpreter that runs.
    :param answer: makes the outputs of the value where the answer is checked; not timed.
    :param within: a context, such as ``torch.no_grad``, that each check and each sample enters once, outside the clock;
        another interpreter has none.
    :raises ValueError: it is no expression, or a name is none that a local variable may have.
    """

    expression: str
    names: Mapping[str, Any]
    setup: str = ""
    python: str = ""
    answer: Callable[[Any], Any] | None = None
    within: Callable[[], AbstractContextManager[Any]] = nullcontext

    def __post_init__(self) -> None:
        wrong = [name for name in self.names if not name.isidentifier() or keyword.iskeyword(name) or name[0] == "_"]
        if wrong:
            raise ValueError(f"{wrong[0]!r} cannot be a name in an inline expression; choose one without underscore")
        for text, mode, what in ((self.expression, "eval", "Python expression"), (self.setup, "exec", "set-up")):
            try:
                compile(text, "<inline>", mode)
            except SyntaxError as error:
                raise ValueError(f"{text!r} is no {what}: {error.msg}") from error
        if self.python and self.within is not nullcontext:
            raise ValueError(f"the context {self.within!r} cannot be entered in another interpreter, {self.python}")

    def value(self) -> Any:
        """What the expression comes to in this interpreter."""
        scope: dict[str, Any] = {"__name__": "inline", **self.names}
        exec(compile(self.setup, "<setup>", "exec"), scope)
        with self.within():
            return eval(self.expression, scope)

    def outputs(self, value: Any) -> Any:
        """What ``value`` says of the outputs."""
        return value if self.answer is None else self.answer(value)


@dataclass(frozen=True)
class Implementation:
    """A function that honours a suite, and what it can do.

    :param function: takes the suite's named inputs. With one phase it returns the outputs; with several it is a
        generator that yields once at the end of each phase what that phase delivers (nothing, one output, or a tuple
        of outputs in the suite's order).
    :param arrays: what the inputs are handed over as: NumPy arrays, torch tensors on the device, or nested lists.
    :param devices: ``cpu``, ``cuda``.
    :param dtypes: the dtypes it accepts.
    :param phases: the phases it has, the suite's first ones; empty means all.
    :param limits: the cases it can do: by parameter the largest number, or a tuple of the allowed values.
    :param kind: what the suite's own error measure distinguishes, such as ``"histogram"``.
    :param mutates: inputs it writes into; it gets a fresh copy of those for each call, outside the timed part.
    :param counters: a function for the suite's probes, instrumented to count what the plain one does.
    :param inline: the function prepares an :class:`Inline`, which is what is timed: on a CPU by itself, on a GPU as the
        body of a function.
    :param library: whose own routine it calls, such as ``"scikit-learn"``; reports compare those without one to them.
    """

    function: Callable[..., Any]
    suite: Suite
    arrays: ArrayKind = "numpy"
    devices: tuple[str, ...] = ("cpu",)
    dtypes: tuple[str, ...] = ("float32",)
    phases: tuple[str, ...] = ()
    limits: Mapping[str, Limit] | None = None
    kind: str = ""
    mutates: tuple[str, ...] = ()
    counters: Callable[..., Any] | None = None
    inline: bool = False
    library: str = ""

    @property
    def is_generator(self) -> bool:
        return inspect.isgeneratorfunction(self.function)

    @property
    def phase_names(self) -> tuple[str, ...]:
        return self.phases or tuple(self.suite.phases)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def implements(
    suite: Suite,
    *,
    arrays: ArrayKind = "numpy",
    devices: Sequence[str] = ("cpu",),
    dtypes: Sequence[str] = ("float32",),
    phases: Sequence[str] = (),
    limits: Mapping[str, Limit] | None = None,
    kind: str = "",
    mutates: Sequence[str] = (),
    counters: Callable[..., Any] | None = None,
    inline: bool = False,
    library: str = "",
) -> Callable[[Callable[..., Any]], Implementation]:
    """Register the decorated function as an implementation of ``suite`` under the name of its file.

    All arguments but ``suite`` and ``counters`` must be written as literals: ``bakeoff list`` reads them from the
    source without importing it. See :class:`Implementation` for their meaning.

    :raises TypeError: the parameter names are not the reference's (the message says what to rename), a suite with
        several phases is given a function that is no generator, or ``inline`` what is more than an expression.
    """

    def register(function: Callable[..., Any]) -> Implementation:
        _check_parameters(suite, function)
        _check_phases(suite, function, tuple(phases))
        if inline and (len(suite.phases) > 1 or mutates):
            raise TypeError(f"{function.__name__}: inline takes one phase and nothing that mutates")
        unknown = sorted(set(mutates) - set(suite.parameters))
        if unknown:
            raise TypeError(f"{function.__name__}: mutates names {unknown[0]!r}, which is no input of {suite.name!r}")
        return Implementation(
            function=function,
            suite=suite,
            arrays=arrays,
            devices=tuple(devices),
            dtypes=tuple(dtypes),
            phases=tuple(phases),
            limits=limits,
            kind=kind,
            mutates=tuple(mutates),
            counters=counters,
            inline=inline,
            library=library,
        )

    return register


def thread_count() -> int:
    """How many threads the running trial may use; for libraries that want the number as an argument."""
    return int(os.environ.get("OMP_NUM_THREADS", "") or os.cpu_count() or 1)


def _check_parameters(suite: Suite, function: Callable[..., Any]) -> None:
    expected, found = suite.parameters, tuple(inspect.signature(function).parameters)
    if found == expected:
        return
    if sorted(found) == sorted(expected):
        raise TypeError(f"{function.__name__}: parameters must be in the order {expected}, not {found}")
    missing = [name for name in expected if name not in found]
    advice = []
    for name in (name for name in found if name not in expected):
        near = difflib.get_close_matches(name, missing, n=1, cutoff=0.0)
        advice.append(f"rename {name!r} to {near[0]!r}" if near else f"remove {name!r}")
        missing = [other for other in missing if other not in near]
    advice += [f"add {name!r}" for name in missing]
    raise TypeError(
        f"{function.__name__} does not have the parameters of suite {suite.name!r}, {expected}: " + ", ".join(advice)
    )


def _check_phases(suite: Suite, function: Callable[..., Any], phases: tuple[str, ...]) -> None:
    names = tuple(suite.phases)
    if phases and phases != names[: len(phases)]:
        raise TypeError(f"{function.__name__}: phases must be the first ones of {names}, not {phases}")
    if len(names) > 1 and not inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__name__}: suite {suite.name!r} has the phases {names}; "
            "write a generator that yields at the end of each phase what the phase delivers"
        )
