"""The two ends of every implementation: what it refuses, and the sign and projection that all share."""

from __future__ import annotations

import numpy as np

from harness.contract import Unavailable

Fitted = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Mean (d,), components (k, d) and explained variances (k,)."""


def require_rows(x: object) -> None:
    """Refuse a table without a variance.

    :raises ValueError: it has fewer than two rows.
    """
    rows: int = x.shape[0]  # type: ignore[attr-defined]
    if rows < 2:
        raise ValueError(f"variances need at least two rows, not {rows}")


def require_fewer(library: str, k: int, limit: int) -> None:
    """Say that ``library`` cannot find as many components.

    :raises Unavailable: k is not below ``limit``.
    """
    if k >= limit:
        raise Unavailable(f"{library} finds fewer than {limit} components of such a table, not {k}")


def column_means(x: np.ndarray) -> np.ndarray:
    """Means (d,) of x (n, d) in its dtype, with sums in float64.

    A product with a vector of ones is faster than a sum, but would add up in float32.
    """
    if x.dtype == np.float64:
        return np.asarray(np.ones(len(x)) @ x / len(x))
    return np.asarray(x.mean(axis=0, dtype=np.float64), dtype=x.dtype)


def oriented(components: np.ndarray) -> np.ndarray:
    """Components (k, d) with the entry of largest absolute value of each made positive, the first of several."""
    places = np.argmax(np.abs(components), axis=1)
    negative = components[np.arange(len(components)), places] < 0
    return np.ascontiguousarray(np.where(negative[:, None], -components, components))


def fitted(mean: np.ndarray, components: np.ndarray, variances: np.ndarray, dtype: np.dtype) -> Fitted:
    """Mean, components and variances as the contract wants them: oriented, not negative, in ``dtype``."""
    return (
        np.ascontiguousarray(mean, dtype=dtype),
        oriented(np.asarray(components, dtype=dtype)),
        np.ascontiguousarray(np.maximum(variances, 0), dtype=dtype),
    )


def project(x: np.ndarray, model: Fitted) -> np.ndarray:
    """Scores (n, k) of x (n, d). Subtracting first loses nothing where the mean is far larger than the spread."""
    mean, components, _ = model
    return np.asarray((x - mean) @ components.T)
