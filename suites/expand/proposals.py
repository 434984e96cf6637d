"""Arguments to try an operation with, from the types in its schema: the simplest first, until one is accepted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from suites.expand.operations import Operation, Parameter

MOST_TRIES = 150
Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Positional ones, and those by keyword."""


def propose(operation: Operation, shape: tuple[int, ...], dtype: Any) -> Iterator[Arguments]:
    """Arguments for a target of ``shape`` and ``dtype``, first without the optional ones, then with them.

    The order depends on the operation alone, so that what fits one dtype is found at the same place for another.
    """
    needed = tuple(each for each in operation.parameters if not each.optional)
    for chosen in dict.fromkeys((needed, operation.parameters, *operation.others)):
        values = [_values(parameter, shape, dtype) for parameter in chosen]
        for places in _simplest_first(tuple(len(each) for each in values)):
            arguments = [each[place] for each, place in zip(values, places, strict=True)]
            paired = list(zip(chosen, arguments, strict=True))
            yield (
                tuple(value for parameter, value in paired if not parameter.keyword),
                {parameter.name: value for parameter, value in paired if parameter.keyword},
            )


@cache
def _simplest_first(lengths: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Places in the lists of values, those with the smallest sum first."""
    largest = sum(length - 1 for length in lengths)
    every = itertools.chain.from_iterable(_with_sum(lengths, total) for total in range(largest + 1))
    return tuple(itertools.islice(every, MOST_TRIES)) if all(lengths) else ()


def _with_sum(lengths: tuple[int, ...], total: int) -> Iterator[tuple[int, ...]]:
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(total, lengths[0] - 1) + 1):
        for rest in _with_sum(lengths[1:], total - first):
            yield first, *rest


def _values(parameter: Parameter, shape: tuple[int, ...], dtype: Any) -> list[Any]:
    kind = parameter.type.removeprefix("Optional[").removesuffix("]") if "Optional[" in parameter.type else ""
    if parameter.type == "List[Optional[Tensor]]":
        return [[each] for each in _indices(shape)]
    if kind:
        values = _values(Parameter(parameter.name, kind), shape, dtype)
        return values if parameter.optional and values else [None, *values]
    match parameter.type:
        case "Tensor":
            return _tensors(shape, dtype)
        case "List[Tensor]":
            return [[each] for each in _tensors(shape, dtype)]
        case "number" | "Scalar":
            return [2, 0.5]
        case "int" | "SymInt":
            return [0, 1, 2]
        case "float":
            return [0.5, 2.0]
        case "bool":
            return [True, False]
        case "str":
            return ["sum", "amax", "none", "trunc", "add", "mean"]
        case "List[int]" | "List[SymInt]":
            return [list(shape), [0], [1, 1], [2]]
        case "List[number]" | "List[float]":
            return [[2.0]]
        case "Callable":
            return [lambda value, *others: value + 1]
        case "Ellipsis":
            return [...]
    return []


@cache
def _tensors(shape: tuple[int, ...], dtype: Any) -> list[Any]:
    """Operands of all shapes that go with the target's, with distinct values; indices; a mask."""
    import torch

    shapes = (
        shape, (), (shape[0],), (shape[-1],), (shape[0], 2), (2, shape[-1]), (2,), (1,), (2, shape[0], 2),
        (2, 2, shape[-1]), (2, 2), (shape[0], shape[0]),
    )  # fmt: skip
    operands = []
    for each in dict.fromkeys(shapes):
        ramp = torch.arange(math.prod(each)).reshape(each)
        if dtype.is_floating_point or dtype.is_complex:
            operands.append((0.05 + 0.07 * ramp).to(dtype))
        else:
            operands.append(ramp % 2 == 0 if dtype == torch.bool else (1 + ramp % 3).to(dtype))
    masks = [torch.arange(math.prod(shape)).reshape(shape) % 2 == 0]
    return [operands[0], *_indices(shape), *masks, *operands[1:]]


@cache
def _indices(shape: tuple[int, ...]) -> list[Any]:
    """Valid along the first dimension, without repetition along it."""
    import torch

    grid = sum(torch.arange(size).reshape([-1] + [1] * (len(shape) - 1 - dim)) for dim, size in enumerate(shape))
    return [torch.arange(shape[0]), grid % shape[0]]
