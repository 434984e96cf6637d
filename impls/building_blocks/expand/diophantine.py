"""Exact search for two index tuples with one address: a bounded linear Diophantine equation.

The elements of a tensor overlap if and only if sum_j stride_j * delta_j = 0 has a solution other than zero with
abs(delta_j) <= size_j - 1, the deltas being the differences of two index tuples. Zero strides and strides that each
reach beyond all smaller ones together decide most tensors at once; the rest is searched from the largest stride down,
with the deltas of what is left bounded by its reach and excluded by its greatest common divisor.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def overlaps(sizes: np.ndarray, strides: np.ndarray) -> bool:
    """:param sizes: (dims,) int64, as ``strides``, which are in elements and may be negative."""
    steps, spans = np.empty(len(sizes), np.int64), np.empty(len(sizes), np.int64)
    count = 0
    for dim in range(len(sizes)):
        if sizes[dim] == 0:
            return False
    for dim in range(len(sizes)):
        if sizes[dim] == 1:
            continue
        if strides[dim] == 0:
            return True
        step, place = abs(strides[dim]), count
        while place > 0 and steps[place - 1] > step:
            steps[place], spans[place] = steps[place - 1], spans[place - 1]
            place -= 1
        steps[place], spans[place] = step, sizes[dim] - 1
        count += 1
    reach = np.zeros(count + 1, np.int64)
    divisor = np.zeros(count + 1, np.int64)
    beyond = True
    for dim in range(count):
        beyond = beyond and steps[dim] > reach[dim]
        reach[dim + 1] = reach[dim] + steps[dim] * spans[dim]
        divisor[dim + 1] = _gcd(divisor[dim], steps[dim])
    return not beyond and _search(steps, spans, reach, divisor, count)


@numba.njit(cache=True)
def _search(steps: np.ndarray, spans: np.ndarray, reach: np.ndarray, divisor: np.ndarray, count: int) -> bool:
    """Depth first, without recursion; a solution and its negative are one, so the first delta is never negative."""
    delta, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    rest = np.zeros(count + 1, np.int64)  # what the smaller strides have to make up for, below each dimension
    dim = count - 1
    _enter(dim, rest[count], steps, spans, reach, delta, last)
    delta[dim] = max(delta[dim], 0)
    while dim < count:
        if delta[dim] > last[dim]:
            dim += 1
            if dim < count:
                delta[dim] += 1
            continue
        rest[dim] = rest[dim + 1] + steps[dim] * delta[dim]
        if dim == 0:
            if rest[0] == 0 and _any(delta):
                return True
            delta[0] += 1
            continue
        if rest[dim] % divisor[dim] != 0:
            delta[dim] += 1
            continue
        dim -= 1
        _enter(dim, rest[dim + 1], steps, spans, reach, delta, last)
        if not _any(delta[dim + 1 :]):
            delta[dim] = max(delta[dim], 0)
    return False


@numba.njit(cache=True)
def _enter(
    dim: int,
    rest: int,
    steps: np.ndarray,
    spans: np.ndarray,
    reach: np.ndarray,
    delta: np.ndarray,
    last: np.ndarray,
) -> None:
    """The deltas of a dimension that leave no more than the smaller strides can make up for."""
    delta[dim] = max(-spans[dim], -((rest + reach[dim]) // steps[dim]))
    last[dim] = min(spans[dim], (reach[dim] - rest) // steps[dim])


@numba.njit(cache=True)
def _any(values: np.ndarray) -> bool:
    for value in values:  # noqa: SIM110
        if value != 0:
            return True
    return False


@numba.njit(cache=True)
def _gcd(first: int, second: int) -> int:
    while second:
        first, second = second, first % second
    return first


@numba.njit(cache=True)
def overlaps_of_all(layouts: np.ndarray, found: np.ndarray) -> None:
    """:param layouts: (m, 2, dims) int64; ``found`` (m,) gets 1 or 0 each."""
    for index in range(len(layouts)):
        found[index] = overlaps(layouts[index, 0], layouts[index, 1])
