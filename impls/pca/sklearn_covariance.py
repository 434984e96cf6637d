"""scikit-learn's `PCA(svd_solver="covariance_eigh")`: products of the raw columns less those of the means.

That difference cancels where the mean is far larger than the spread, so such data is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE


@implements(
    SUITE,
    library="scikit-learn",
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
        )
    },
)
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    found = PCA(k, svd_solver="covariance_eigh").fit(x)
    model = fitted(found.mean_, found.components_, found.explained_variance_, x.dtype)
    yield model
    yield project(x, model)
