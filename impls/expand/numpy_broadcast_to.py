"""numpy.broadcast_to: a view that cannot be written into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.expand import numpy_ways
from suites.expand.suite import SUITE


def make(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(x, shape)


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
