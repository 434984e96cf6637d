"""The covariance matrix and all of its eigenvectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE


@implements(SUITE, dtypes=("float64", "float32"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    mean = x.mean(axis=0)
    centred = x - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / x.dtype.type(len(x) - 1))
    model = fitted(mean, vectors.T[: -k - 1 : -1], values[: -k - 1 : -1], x.dtype)
    yield model
    yield project(x, model)
