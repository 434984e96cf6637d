"""Rules (a) and (b): dimensions sorted by stride do not overlap where each reaches beyond all smaller ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from suites.expand.judging import TOO_HARD
from suites.expand.suite import SUITE


@implements(SUITE, dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="sorted")
def check(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    yield
    sizes, strides = layouts[:, 0], layouts[:, 1]
    empty = (sizes == 0).any(axis=1)
    repeated = ((strides == 0) & (sizes > 1)).any(axis=1) & ~empty
    order = np.argsort(strides, axis=1)
    steps, reach = np.take_along_axis(strides, order, 1), np.take_along_axis(strides * (sizes - 1), order, 1)
    smaller = np.cumsum(reach, axis=1) - reach
    beyond = ((steps > smaller) | (np.take_along_axis(sizes, order, 1) == 1)).all(axis=1)
    yield np.select([repeated, beyond | empty], [1, 0], TOO_HARD).astype(x.dtype)
