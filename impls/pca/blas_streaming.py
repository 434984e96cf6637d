"""One pass of symmetric rank-k updates, shifted so that nothing cancels; then the k eigenpairs that are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import eigh

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from impls.building_blocks.pca.gram import moments
from impls.building_blocks.pca.krylov import leading_eigenpairs
from suites.pca.suite import SUITE

KRYLOV_FROM, KRYLOV_SHARE = 256, 16
"""Features, and features per component, from which on a few products are cheaper than the tridiagonal form."""


@implements(SUITE, dtypes=("float64", "float32"), kind="gram")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    d = x.shape[1]
    found = moments(x)
    if d >= KRYLOV_FROM and d >= KRYLOV_SHARE * k:
        lower = np.tril(found.products)
        symmetric = lower + np.tril(lower, -1).T
        values, components = leading_eigenpairs(lambda rows: rows @ symmetric, d, k, x.dtype, seed)
    else:
        values, vectors = eigh(
            found.products, lower=True, subset_by_index=(d - k, d - 1), overwrite_a=True, check_finite=False
        )
        values, components = values[::-1], vectors.T[::-1]
    model = fitted(found.mean, components, values / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
