"""Rule (a): a stride of 0 with a size over 1 overlaps; everything else is too hard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from suites.expand.judging import TOO_HARD
from suites.expand.suite import SUITE


@implements(SUITE, dtypes=("float32", "float64"), limits={"operation": ("overlap",)}, kind="zero_stride")
def check(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Iterator[Any]:
    yield
    sizes, strides = layouts[:, 0], layouts[:, 1]
    repeated = ((strides == 0) & (sizes > 1)).any(axis=1) & (sizes > 0).all(axis=1)
    yield np.where(repeated, 1, TOO_HARD).astype(x.dtype)
