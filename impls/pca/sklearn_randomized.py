"""scikit-learn's `PCA(svd_solver="randomized")`: a randomised range finder with 10 columns more than k.

Its default makes 7 power steps, which are 16 passes, or 4 from a tenth of min(n, d) components on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE


@implements(SUITE, library="scikit-learn", dtypes=("float64", "float32"), kind="randomised")
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    found = PCA(k, svd_solver="randomized", random_state=seed).fit(x)
    model = fitted(found.mean_, found.components_, found.explained_variance_, x.dtype)
    yield model
    yield project(x, model)
