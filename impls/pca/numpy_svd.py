"""Thin singular value decomposition of the centred table, by LAPACK's gesdd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE


@implements(SUITE, dtypes=("float64", "float32"), kind="svd")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    mean = x.mean(axis=0)
    _, values, vectors = np.linalg.svd(x - mean, full_matrices=False)
    model = fitted(mean, vectors[:k], values[:k] ** 2 / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
