"""NumPy's exact solver, by way of a function that its own tests use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy._core._multiarray_tests import internal_overlap
from numpy.lib.stride_tricks import as_strided

from harness.contract import implements
from suites.expand.suite import SUITE


@implements(SUITE, library="NumPy", dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="exact")
def check(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    arrays = [as_strided(np.zeros(1, np.int8), sizes, strides) for sizes, strides in layouts]
    yield
    yield np.array([internal_overlap(array) for array in arrays], x.dtype)
