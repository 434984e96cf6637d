"""One pass over batches whose means and products are merged by Chan's rule; then all eigenvectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE

BATCH = 512


@implements(SUITE, dtypes=("float64", "float32"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    n, d = x.shape
    mean, products = np.zeros(d, dtype=x.dtype), np.zeros((d, d), dtype=x.dtype)
    for seen in range(0, n, BATCH):
        rows = x[seen : seen + BATCH]
        of_batch = rows.mean(axis=0)
        centred = rows - of_batch
        share = x.dtype.type(len(rows) / (seen + len(rows)))
        delta = of_batch - mean
        products += centred.T @ centred + np.outer(delta, delta) * (seen * share)
        mean += delta * share
    values, vectors = np.linalg.eigh(products)
    model = fitted(mean, vectors.T[: -k - 1 : -1], values[: -k - 1 : -1] / (n - 1), x.dtype)
    yield model
    yield project(x, model)
