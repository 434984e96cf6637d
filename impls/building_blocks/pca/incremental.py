"""Components of a growing table: batches are added to a truncated decomposition (Ross, Lim, Lin and Yang 2008)."""

from __future__ import annotations

import numpy as np

from impls.building_blocks.pca.ends import Fitted, fitted


def fit_incrementally(x: np.ndarray, k: int, batch: int) -> Fitted:
    """Fit x (n, d) by batches of ``batch`` rows, the last one shorter, keeping k components after each.

    Each step decomposes the old components times their singular values, the new rows about their own mean, and one row
    for the difference of the means. Exact as long as what is dropped is zero.

    :raises ValueError: the first batch has fewer rows than components.
    """
    n, d = x.shape
    if min(batch, n) < k:
        raise ValueError(f"the first batch has {min(batch, n)} rows, too few for {k} components")
    mean = np.zeros(d, dtype=x.dtype)
    kept = np.empty((0, d), dtype=x.dtype)
    values = np.empty(0, dtype=x.dtype)
    for seen in range(0, n, batch):
        rows = x[seen : seen + batch]
        of_batch = rows.mean(axis=0)
        total = seen + len(rows)
        stack = [kept * values[:, None], rows - of_batch]
        if seen:
            stack.append(np.sqrt(x.dtype.type(seen * len(rows) / total)) * (mean - of_batch)[None])
        _, values, kept = np.linalg.svd(np.concatenate(stack), full_matrices=False)
        values, kept = values[:k], kept[:k]
        mean = mean + (of_batch - mean) * x.dtype.type(len(rows) / total)
    return fitted(mean, kept, values**2 / (n - 1), x.dtype)
