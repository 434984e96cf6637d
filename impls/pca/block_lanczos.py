"""Block Lanczos with full reorthogonalisation on the table itself, stopped by its residual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, column_means, fitted, project, require_rows
from impls.building_blocks.pca.krylov import leading_eigenpairs
from suites.pca.suite import SUITE

SAMPLE = 64
HARMLESS_MEAN = 4.0


@implements(SUITE, dtypes=("float64", "float32"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    mean = column_means(x)
    # A copy of the centred table costs as much as a pass; without one, the mean is taken out of the products, which
    # cancels where the mean is far larger than the spread.
    sample = x[:: max(1, len(x) // SAMPLE)]
    spread = float(np.square(sample - mean).sum()) / len(sample)
    table, shift = (x, mean) if float(mean @ mean) <= HARMLESS_MEAN * spread else (x - mean, np.zeros_like(mean))

    def apply(rows: np.ndarray) -> np.ndarray:
        scores = rows @ table.T
        scores -= (rows @ shift)[:, None]
        image = scores @ table
        image -= np.outer(scores.sum(axis=1), shift)
        return np.asarray(image)

    values, components = leading_eigenpairs(apply, x.shape[1], k, x.dtype, seed)
    model = fitted(mean, components, values / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
