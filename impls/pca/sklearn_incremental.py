"""scikit-learn's `IncrementalPCA` with its default batches of five rows per feature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import IncrementalPCA

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE


def fit(x: np.ndarray, k: int, batch: int | None) -> Fitted:
    """Fit x (n, d) by batches of ``batch`` rows, or of the library's own choice."""
    found = IncrementalPCA(k, batch_size=batch).fit(x)
    return fitted(found.mean_, found.components_, found.explained_variance_, x.dtype)


@implements(SUITE, library="scikit-learn", dtypes=("float64", "float32"), kind="incremental", counters=fit)
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    model = fit(x, k, None)
    yield model
    yield project(x, model)
