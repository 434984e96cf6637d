"""What every operation that torch offers does when it writes into an expanded tensor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from suites.expand.behaviour import ANSWERS, Behaviour, equal, listening, mode, observe, write_to_clone
from suites.expand.operations import Group, Operation, writing_operations
from suites.expand.proposals import MOST_TRIES, Arguments, propose

Make = Callable[[Any, tuple[int, ...]], Any]
Expansion = tuple[tuple[int, ...], tuple[int, ...]]
ENOUGH = 25
"""Calls to try with a further dtype."""
MOST_TRIES_OF_OUT = 100
DTYPES = ("float32", "int64", "bool", "float64")
EXPANSIONS = (((3, 1), (3, 4)), ((1,), (4,)), ((2, 3, 1), (2, 3, 3)))
"""Shapes of the base and of the view; one after another until an operation takes one."""


class _NoOut(Exception):
    """An operation has a form with ``out=`` in its schema that Python does not reach."""


@dataclass(frozen=True)
class Trial:
    """A call of an operation that works on a clone and changes it.

    :param base: the tensor that is expanded.
    :param shape: of the view.
    :param arguments: those beside the target.
    :param expected: what the clone holds afterwards.
    :param results: of the group ``out=``: what the call returns without it.
    :param which: of the results is written into the view.
    """

    operation: Operation
    base: Any
    shape: tuple[int, ...]
    arguments: Arguments
    expected: Any
    results: tuple[Any, ...] = ()
    which: int = 0

    def out_of_place(self) -> Any:
        """What the operation returns without writing; ``None`` where it has no such form, or draws random numbers."""
        if self.operation.random:
            return None
        if self.results:
            return self.results[self.which]
        try:
            result, again = self._plain(seed=0), self._plain(seed=1)
        except Exception:  # none, or another function, which has the name without the underscore
            return None
        return result if equal(result, again) else None

    def _plain(self, seed: int) -> Any:
        import torch

        if self.operation.plain is None:
            raise TypeError(f"{self.operation.name} has no form out of place")
        positional, keywords = _fresh(self.arguments)
        source = self.base.expand(self.shape)
        torch.default_generator.manual_seed(seed)
        result = self.operation.plain([source] if self.operation.in_list else source, *positional, **keywords)
        return result[0] if isinstance(result, list | tuple) else result

    def write(self, target: Any) -> None:
        if self.results:
            _write_out(self, target)
        else:
            _call(self.operation, _fresh(self.arguments), target)


@dataclass(frozen=True)
class Finding:
    """What an operation does in each of its calls; empty where none was found that writes."""

    operation: Operation
    calls: tuple[tuple[Trial, Behaviour], ...]

    @property
    def worst(self) -> Behaviour | None:
        """The most harmful over the calls, which differ in their dtype."""
        every = [behaviour for _, behaviour in self.calls]
        return max(every, key=lambda each: (ANSWERS.index(each.answer), not each.warned), default=None)


Calls = Mapping[Operation, Sequence[Trial]]


def find_calls(group: Group) -> Calls:
    """Every operation of a group with calls of it that write, by dtype; none where no arguments were found."""
    with listening():
        return {
            operation: tuple(find_trials(operation)) for operation in writing_operations() if operation.group == group
        }


def survey(calls: Calls, make: Make, *, deterministic: bool = False) -> tuple[Finding, ...]:
    """What each of the calls does to the tensor that ``make`` makes of base and shape."""
    found = []
    with mode(deterministic):
        for operation, trials in calls.items():
            behaviours = [(trial, _observe(trial, make)) for trial in trials]
            found.append(Finding(operation, tuple((trial, each) for trial, each in behaviours if each is not None)))
    return tuple(found)


def cured(trial: Trial, make: Make) -> bool:
    """Whether a call succeeds on a clone of the view, and leaves there what the operation returns out of place.

    What draws random numbers, or has no form out of place, is compared with itself on a tensor whose values were
    written there one by one.
    """
    import torch

    with listening():
        try:
            after = write_to_clone(trial.write, trial.base, lambda base: make(base, trial.shape))
        except Exception:  # a cure that fails, however it does
            return False
        expected = trial.out_of_place()
        if expected is None:
            owned = torch.tensor(make(trial.base, trial.shape).tolist(), dtype=trial.base.dtype).reshape(trial.shape)
            torch.default_generator.manual_seed(0)
            trial.write(owned)
            expected = owned
    return equal(after, expected.to(after.dtype))


def _observe(trial: Trial, make: Make) -> Behaviour | None:
    """``None`` where the call does not work on a clone, as some do not in deterministic mode."""

    def made(base: Any) -> Any:
        return make(base, trial.shape)

    try:
        with listening():
            expected = write_to_clone(trial.write, trial.base, made)
    except Exception:  # whatever it is: there is nothing to compare with
        return None
    return observe(trial.write, trial.base, made, expected)


def find_trials(operation: Operation) -> Iterator[Trial]:
    """One call by dtype, where there is one; the place at which one was found is the first to look at for the next."""
    import torch

    hints: list[tuple[Expansion, int]] = []
    for name in DTYPES:
        dtype = getattr(torch, name)
        searches = [(expansion, range(place, place + 1)) for expansion, place in hints]
        if name == DTYPES[0]:
            most = 2 * MOST_TRIES if operation.group == "in place" else MOST_TRIES_OF_OUT
            searches += [(expansion, range(most)) for expansion in EXPANSIONS]
        else:
            searches.append((EXPANSIONS[0], range(ENOUGH)))
        for expansion, places in searches:
            find = _find_out if operation.group == "out=" else _find_in_place
            try:
                found = find(operation, dtype, expansion, places)
            except _NoOut:
                return
            if found is not None:
                place, trial = found
                hints.append((expansion, place))
                yield trial
                break


def _find_in_place(operation: Operation, dtype: Any, expansion: Expansion, places: range) -> tuple[int, Trial] | None:
    """The first call among ``places`` that changes a clone, else ``None``."""
    base_shape, shape = expansion
    expanded = partial(_expanded, shape)
    for place, arguments in _between(propose(operation, shape, dtype), places):
        for base in _ramps(base_shape, dtype):
            try:
                expected = write_to_clone(partial(_call, operation, arguments), base, expanded)
            except Exception:  # not made for these arguments
                break
            if expected.shape == shape and not equal(expected, base.expand(shape)):
                return place, Trial(operation, base, shape, arguments, expected)
    return None


def _find_out(operation: Operation, dtype: Any, expansion: Expansion, places: range) -> tuple[int, Trial] | None:
    """The first call among ``places`` that has a result to write into an expanded tensor of its shape and dtype."""
    import torch

    for place, arguments in _between(propose(operation, expansion[1], dtype), places):
        try:
            result = operation.call(*arguments[0], **arguments[1])
        except Exception:  # not made for these arguments
            continue
        results = list(result) if isinstance(result, tuple) else [result]
        if not all(isinstance(each, torch.Tensor) and each.layout == torch.strided for each in results):
            return None
        which = next((index for index, each in enumerate(results) if max(each.shape, default=0) > 1), None)
        if which is None:
            continue
        shape = tuple(results[which].shape)
        widest = shape.index(max(shape))
        base_shape = tuple(1 if dim == widest else size for dim, size in enumerate(shape))
        for base in _ramps(base_shape, results[which].dtype):
            trial = Trial(operation, base, shape, arguments, None, tuple(results), which)
            try:
                expected = write_to_clone(trial.write, base, partial(_expanded, shape))
            except Exception:  # Python reaches it, but not its out=
                raise _NoOut from None
            if expected.shape == shape and not equal(expected, base.expand(shape)):
                return place, replace(trial, expected=expected)
    return None


def _expanded(shape: tuple[int, ...], base: Any) -> Any:
    return base.expand(shape)


def _call(operation: Operation, arguments: Arguments, target: Any) -> None:
    positional, keywords = arguments
    operation.call([target] if operation.in_list else target, *positional, **keywords)


def _write_out(trial: Trial, target: Any) -> None:
    import torch

    positional, keywords = _fresh(trial.arguments)
    outs = [torch.empty_like(each) for each in trial.results]
    outs[trial.which] = target
    trial.operation.call(*positional, out=outs[0] if len(outs) == 1 else tuple(outs), **keywords)


def _ramps(shape: tuple[int, ...], dtype: Any) -> tuple[Any, ...]:
    """0, 1, 2, ..., and the same with a sign and, where there is one, a fraction, for what leaves the first alone."""
    import torch

    ramp = torch.arange(math.prod(shape)).reshape(shape)
    return ramp.to(dtype), (ramp - (1.25 if dtype.is_floating_point or dtype.is_complex else 1)).to(dtype)


def _between(proposals: Iterator[Arguments], places: range) -> Iterator[tuple[int, Arguments]]:
    return zip(places, islice(proposals, places.start, places.stop), strict=False)


def _fresh(arguments: Arguments) -> Arguments:
    """A copy, so that no call sees what another has written."""
    return tuple(map(_copy, arguments[0])), {name: _copy(value) for name, value in arguments[1].items()}


def _copy(value: Any) -> Any:
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value.clone() if hasattr(value, "clone") else value
