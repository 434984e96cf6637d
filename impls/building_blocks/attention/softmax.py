"""Safe and online softmax of a vector (Milakov & Gimelshein 2018, Algorithms 2 and 3), to be timed and to be counted.

Both are written once, over operations on groups of ``width`` elements. With the operations on registers they are
compiled and timed; with operations that note every element which comes from or goes to memory, the same functions are
interpreted and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numba import njit

from impls.building_blocks.attention import vectors as registers

LOG2_E = np.float32(1.0 / np.log(2.0))
LOWEST = np.float32(-1e38)
Softmax = Callable[[Any, Any, int, int], None]


def write_softmax(ops: Any, compiled: Callable[[Any], Any]) -> dict[str, Softmax]:
    """The two functions (x, y, start, stop): y = softmax(x) over one vector that lies in a longer flat array."""
    load, store, spread, exp2 = ops.load, ops.store, ops.spread, ops.exp2
    add, subtract, times, maximum = ops.add, ops.subtract, ops.times, ops.maximum
    load_one, store_one, exp2_one = ops.load_one, ops.store_one, ops.exp2_one
    largest_of, sum_of, width = ops.largest_of, ops.sum_of, ops.width

    @compiled
    def safe(x: Any, y: Any, start: int, stop: int) -> None:
        tail = stop - (stop - start) % width
        factor = spread(LOG2_E)
        running = spread(LOWEST)
        for i in range(start, tail, width):
            running = maximum(running, load(x, i))
        m = largest_of(running)
        for i in range(tail, stop):
            m = max(m, load_one(x, i))
        sums, shift = spread(np.float32(0.0)), spread(m)
        for i in range(start, tail, width):
            sums = add(sums, exp2(times(subtract(load(x, i), shift), factor)))
        total = sum_of(sums)
        for i in range(tail, stop):
            total += exp2_one((load_one(x, i) - m) * LOG2_E)
        inverse = np.float32(1.0) / total
        scale = spread(inverse)
        for i in range(start, tail, width):
            store(y, i, times(exp2(times(subtract(load(x, i), shift), factor)), scale))
        for i in range(tail, stop):
            store_one(y, i, exp2_one((load_one(x, i) - m) * LOG2_E) * inverse)

    @compiled
    def online(x: Any, y: Any, start: int, stop: int) -> None:
        # Four groups at a time share one rescaling; a rescaling per group would cost a second exponential each.
        fours = stop - (stop - start) % (4 * width)
        tail = stop - (stop - start) % width
        factor = spread(LOG2_E)
        running, sums = spread(LOWEST), spread(np.float32(0.0))
        for i in range(start, fours, 4 * width):
            a, b, c, d = load(x, i), load(x, i + width), load(x, i + 2 * width), load(x, i + 3 * width)
            before = running
            running = maximum(maximum(maximum(a, b), maximum(c, d)), before)
            sums = times(sums, exp2(times(subtract(before, running), factor)))
            sums = add(sums, exp2(times(subtract(a, running), factor)))
            sums = add(sums, exp2(times(subtract(b, running), factor)))
            sums = add(sums, exp2(times(subtract(c, running), factor)))
            sums = add(sums, exp2(times(subtract(d, running), factor)))
        for i in range(fours, tail, width):
            a, before = load(x, i), running
            running = maximum(a, before)
            sums = times(sums, exp2(times(subtract(before, running), factor)))
            sums = add(sums, exp2(times(subtract(a, running), factor)))
        m = largest_of(running)
        total = sum_of(times(sums, exp2(times(subtract(running, spread(m)), factor))))
        for i in range(tail, stop):
            value, previous = load_one(x, i), m
            m = max(m, value)
            total = total * exp2_one((previous - m) * LOG2_E) + exp2_one((value - m) * LOG2_E)
        inverse = np.float32(1.0) / total
        scale, shift = spread(inverse), spread(m)
        for i in range(start, tail, width):
            store(y, i, times(exp2(times(subtract(load(x, i), shift), factor)), scale))
        for i in range(tail, stop):
            store_one(y, i, exp2_one((load_one(x, i) - m) * LOG2_E) * inverse)

    return {"safe": safe, "online": online}


class Counted:
    """A flat array that counts the elements which are loaded from it and stored into it."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.accesses = data, 0

    def load(self, at: int, count: int) -> np.ndarray:
        self.accesses += count
        return self.data[at : at + count].copy()

    def store(self, at: int, values: np.ndarray) -> None:
        self.accesses += len(values)
        self.data[at : at + len(values)] = values


def counting_operations(width: int) -> SimpleNamespace:
    """The operations on NumPy groups of ``width`` elements, with arrays that are :class:`Counted`."""
    return SimpleNamespace(
        width=width,
        load=lambda array, at: array.load(at, width),
        store=lambda array, at, values: array.store(at, values),
        load_one=lambda array, at: array.load(at, 1)[0],
        store_one=lambda array, at, value: array.store(at, np.array([value])),
        spread=lambda value: np.full(width, value, np.float32),
        exp2=np.exp2,
        exp2_one=np.exp2,
        add=np.add,
        subtract=np.subtract,
        times=np.multiply,
        maximum=np.maximum,
        largest_of=np.max,
        sum_of=np.sum,
    )


def _register_operations() -> SimpleNamespace:
    @njit
    def load_one(array: Any, at: int) -> Any:
        return array[at]

    @njit
    def store_one(array: Any, at: int, value: Any) -> None:
        array[at] = value

    @njit
    def exp2_one(value: Any) -> Any:
        return np.float32(2.0) ** value

    @njit
    def largest_of(group: Any) -> Any:
        elements = np.empty(registers.WIDTH, np.float32)
        registers.store(elements, 0, group)
        return elements.max()

    @njit
    def sum_of(group: Any) -> Any:
        elements = np.empty(registers.WIDTH, np.float32)
        registers.store(elements, 0, group)
        return elements.sum()

    names = ("load", "store", "spread", "exp2", "add", "subtract", "times", "maximum")
    return SimpleNamespace(
        width=registers.WIDTH,
        load_one=load_one,
        store_one=store_one,
        exp2_one=exp2_one,
        largest_of=largest_of,
        sum_of=sum_of,
        **{name: getattr(registers, name) for name in names},
    )


_compiled: dict[str, Callable[[Any, Any, int], None]] = {}


def _compile(name: str) -> Callable[[Any, Any, int], None]:
    """All rows of a flat array, one after the other, on one thread."""
    if name not in _compiled:
        one = write_softmax(_register_operations(), njit)[name]

        @njit
        def all_rows(x: Any, y: Any, width: int) -> None:
            for start in range(0, x.size, width):
                one(x, y, start, start + width)

        _compiled[name] = all_rows
    return _compiled[name]


def softmax_rows(mode: Literal["run", "count"], name: Literal["safe", "online"], x: np.ndarray, y: np.ndarray) -> int:
    """y = softmax of the rows of x, both (rows, width) float32, by the compiled or by the counting version.

    Returns how many elements were loaded and stored, 0 from the compiled version, which does not count.
    """
    if mode == "run":
        _compile(name)(x.reshape(-1), y.reshape(-1), x.shape[1])
        return 0
    source, target = Counted(x.reshape(-1)), Counted(y.reshape(-1))
    function = write_softmax(counting_operations(registers.WIDTH), lambda function: function)[name]
    for start in range(0, x.size, x.shape[1]):
        function(source, target, start, start + x.shape[1])
    return source.accesses + target.accesses
