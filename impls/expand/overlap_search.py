"""Rules (a) and (b), and an exact search of the bounded Diophantine equation for what they leave open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.expand.diophantine import overlaps_of_all
from suites.expand.suite import SUITE


def decide(layouts: np.ndarray) -> np.ndarray:
    """1 or 0 for each of the layouts (m, 2, dims), int64."""
    found = np.empty(len(layouts), np.int64)
    overlaps_of_all(layouts, found)
    return found


@implements(SUITE, dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="exact", counters=decide)
def check(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    yield
    found = np.empty(len(layouts), x.dtype)
    overlaps_of_all(layouts, found)
    yield found
