"""The same view by hand: stride 0 wherever x has one element, and not to be written into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from harness.contract import implements
from impls.building_blocks.expand import numpy_ways
from suites.expand.suite import SUITE


def make(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    new = len(shape) - x.ndim
    old = (*[1] * new, *x.shape)
    if new < 0 or min(shape, default=0) < 0 or any(size != was != 1 for size, was in zip(shape, old, strict=True)):
        raise ValueError(f"{x.shape} does not expand to {shape}")
    strides = (*[0] * new, *x.strides)
    stretched = [0 if before == 1 else stride for before, stride in zip(old, strides, strict=True)]
    return as_strided(x, shape, stretched, writeable=False)


@implements(
    SUITE,
    library="NumPy",
    dtypes=("float32", "float64", "int64", "bool"),
    limits={"operation": ("read", "weigh", "write")},
    kind="view",
    counters=make,
)
def broadcast(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    yield from numpy_ways.run(make, x, other, shape, step, operation)
