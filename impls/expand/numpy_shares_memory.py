"""numpy.shares_memory, which takes two arrays: the first element of each dimension beside all later ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from harness.contract import implements
from suites.expand.suite import SUITE


@implements(SUITE, library="NumPy", dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="exact")
def check(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    arrays = [as_strided(np.zeros(1, np.int8), sizes, strides) for sizes, strides in layouts]
    yield
    yield np.array([_overlaps(array) for array in arrays], x.dtype)


def _overlaps(array: np.ndarray) -> bool:
    """Two index tuples that first differ in dimension j are, but for a shift, in its slices 0 and d > 0."""
    if array.size == 0:
        return False
    while array.ndim:
        if any(np.shares_memory(array[0, ...], array[later, ...]) for later in range(1, len(array))):
            return True
        array = array[0, ...]
    return False
