"""FAISS's `faiss.PCAMatrix`, float32: products of the raw columns less those of the means, then LAPACK's syev.

That difference cancels where the mean is far larger than the spread, so such data is left out. Where there are fewer
rows than features it takes the products of rows, which give fewer components than rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np

from harness.contract import implements, thread_count
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_fewer, require_rows
from suites.pca.suite import SUITE


@implements(
    SUITE,
    library="FAISS",
    dtypes=("float32",),
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
    faiss.omp_set_num_threads(thread_count())
    n, d = x.shape
    if n < d:
        require_fewer("FAISS", k, n)
    matrix = faiss.PCAMatrix(d, k)
    # By default no more than a thousand rows per feature are looked at.
    matrix.max_points_per_d = n
    matrix.train(x)
    components = faiss.vector_to_array(matrix.PCAMat).reshape(-1, d)[:k]
    variances = faiss.vector_to_array(matrix.eigenvalues)[:k]
    model = fitted(faiss.vector_to_array(matrix.mean), components, variances / (n - 1), x.dtype)
    yield model
    yield project(x, model)
