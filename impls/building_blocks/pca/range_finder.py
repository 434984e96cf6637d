"""Randomised range finder with power steps (Halko, Martinsson and Tropp 2011, Algorithm 4.4)."""

from __future__ import annotations

import numpy as np

OVERSAMPLES = 10
POWER_STEPS = 4
"""Sixteen digits are not sought: (sigma_{k+p+1} / sigma_k)^9 is the tangent of the angle that is left."""


def find_range(a: np.ndarray, columns: int, power_steps: int, rng: np.random.Generator) -> np.ndarray:
    """Orthonormal Q (n, columns), whose range is about that of a (n, d), by 2 ``power_steps`` + 1 passes over a."""
    n, d = a.shape
    columns = min(columns, n, d)
    q = np.linalg.qr(a @ rng.standard_normal((d, columns)).astype(a.dtype))[0]
    for _ in range(power_steps):
        # Without a factorisation in between, all columns would turn into the first singular vector.
        q = np.linalg.qr(a.T @ q)[0]
        q = np.linalg.qr(a @ q)[0]
    return np.asarray(q)


def randomised_svd(
    a: np.ndarray, k: int, power_steps: int, rng: np.random.Generator, oversamples: int = OVERSAMPLES
) -> tuple[np.ndarray, np.ndarray]:
    """The first k singular values and right singular vectors (k, d) of Q^T a, for a range Q of a (n, d)."""
    q = find_range(a, k + oversamples, power_steps, rng)
    _, values, vectors = np.linalg.svd(q.T @ a, full_matrices=False)
    return values[:k], vectors[:k]
