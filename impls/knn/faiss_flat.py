"""FAISS's exact index, `faiss.IndexFlatL2`, float32: expanded squares by BLAS and a heap per query.

FAISS takes BLAS from `faiss.cvar.distance_compute_blas_threshold` queries on, 20 by default, and direct differences
below. Its squares cancel for close points, so it searches centred data for more than k candidates, whose distances are
evaluated again directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np

from harness.contract import implements, thread_count
from impls.building_blocks.knn.checks import Answer, direct_distances, reject_nan, rerank, sorted_rows, with_margin
from suites.knn.suite import SUITE


@implements(SUITE, library="FAISS", dtypes=("float32",), limits={"metric": ("l2",)})
def knn(
    points: Any, queries: Any, k: int, radius: float, closed: bool, search: str, metric: str
) -> Iterator[Answer | None]:
    faiss.omp_set_num_threads(thread_count())
    reject_nan("points", points)
    n, d = points.shape
    centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = points - centre
    index = faiss.IndexFlatL2(d)
    index.add(centred)
    yield None
    reject_nan("queries", queries)
    moved = queries - centre
    if search == "nearest":
        _, candidates = index.search(moved, with_margin(k, n))
        yield rerank(points, queries, candidates, k)
        return
    lengths = [float(np.einsum("ij,ij->i", rows, rows).max()) for rows in (centred, moved)]
    reach = radius * radius + 4 * (d + 4) * float(np.finfo(np.float32).eps) * sum(lengths)
    limits, _, chosen = index.range_search(moved, reach)
    owner = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
    far = direct_distances(points, queries, owner, chosen)
    inside = far <= radius if closed else far < radius
    yield sorted_rows(far[inside], chosen[inside], np.bincount(owner[inside], minlength=len(queries)))
