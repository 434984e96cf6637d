"""SciPy's `scipy.sparse.linalg.svds` on the centred table: ARPACK's Lanczos, to full accuracy; less than all of k.

ARPACK refuses a table in which nothing varies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse.linalg import svds

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
    require_fewer("svds", k, min(x.shape))
    mean = x.mean(axis=0)
    _, values, vectors = svds(x - mean, k=k, rng=np.random.default_rng(seed))
    model = fitted(mean, vectors[::-1], values[::-1] ** 2 / (len(x) - 1), x.dtype)
    yield model
    yield project(x, model)
