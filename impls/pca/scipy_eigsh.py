"""SciPy's `scipy.sparse.linalg.eigsh` on the covariance matrix: ARPACK's Lanczos; fewer than d components.

ARPACK refuses a table in which nothing varies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse.linalg import eigsh

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_fewer, require_rows
from suites.pca.suite import SUITE


@implements(
    SUITE,
    library="SciPy",
    dtypes=("float64", "float32"),
    kind="gram",
    limits={
        "data": (
            "inverse",
            "exponential",
            "step",
            "pairs",
            "rank_three",
            "constant_columns",
            "digits",
            "patches",
            "lfw",
            "far_mean",
        )
    },
)
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    require_fewer("eigsh", k, x.shape[1])
    mean = x.mean(axis=0)
    centred = x - mean
    start = np.random.default_rng(seed).normal(size=x.shape[1]).astype(x.dtype)
    values, vectors = eigsh(centred.T @ centred, k=k, v0=start)
    model = fitted(mean, vectors.T[::-1], values[::-1] / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
