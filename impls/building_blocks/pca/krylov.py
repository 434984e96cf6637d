"""Leading eigenpairs of a symmetric operator by block Lanczos (Golub and Underwood 1977; Musco and Musco 2015)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh

Apply = Callable[[np.ndarray], np.ndarray]
"""Rows (b, d) to their products with the operator, (b, d)."""

EXTRA_COLUMNS = 6
"""Columns of a block beyond k: fewer passes, and products of some 16 columns are cheaper by the column."""
RESIDUAL = 1e-6
"""Relative to the k-th eigenvalue. The angle is this over the relative gap, the cosine's defect half of its square."""
ROUNDINGS = 32
FIRST_CHECK, CHECK_GROWTH = 4, 1.25
"""The small problem is solved after so many blocks and then after each, later when it has grown by this factor: it
costs as much as a pass over a small table."""


def leading_eigenpairs(apply: Apply, d: int, k: int, dtype: np.dtype, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues, descending, and their eigenvectors as orthonormal rows (k, d).

    All basis vectors are kept and every new block is made orthogonal to all of them, twice. The small matrix is the
    operator in that basis, with all inner products instead of the block tridiagonal part alone, which also corrects
    for what orthogonality is lost.
    """
    rng = np.random.default_rng(seed)
    width = min(d, k + EXTRA_COLUMNS)
    epsilon = float(np.finfo(dtype).eps)
    block = np.linalg.qr(rng.standard_normal((d, width)).astype(dtype))[0].T
    basis = np.empty((min(d, 8 * width), d), dtype=dtype)
    projected = np.zeros((len(basis), len(basis)), dtype=dtype)
    size, next_check = 0, FIRST_CHECK * width
    while True:
        basis, projected = _with_room(basis, projected, size + len(block), d)
        basis[size : size + len(block)] = block
        image = apply(block)
        known, size = size, size + len(block)
        inner = image @ basis[:size].T
        projected[known:size, :size] = inner
        projected[:size, known:size] = inner.T
        left = image - inner @ basis[:size]
        left -= (left @ basis[:size].T) @ basis[:size]
        following, factor = np.linalg.qr(left.T)
        if size >= next_check or size == d:
            values, vectors = eigh(projected[:size, :size], subset_by_index=(size - k, size - 1), check_finite=False)
            values, vectors = values[::-1], vectors[:, ::-1]
            residual = np.linalg.norm(factor @ vectors[known:], axis=0).max()
            if size == d or residual <= max(RESIDUAL * values[-1], ROUNDINGS * epsilon * values[0]):
                return values, vectors.T @ basis[:size]
            next_check = size + 1 if size < 8 * width else int(CHECK_GROWTH * size)
        block = _next_block(following.T[: d - size], basis[:size])


def _with_room(basis: np.ndarray, projected: np.ndarray, size: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    if size <= len(basis):
        return basis, projected
    room = min(d, 2 * size)
    larger, wider = np.empty((room, d), dtype=basis.dtype), np.zeros((room, room), dtype=basis.dtype)
    larger[: len(basis)] = basis
    wider[: len(basis), : len(basis)] = projected
    return larger, wider


def _next_block(block: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Rows that are orthonormal and orthogonal to the basis, also where the block was little more than rounding."""
    overlap = block @ basis.T
    if np.abs(overlap).max() < 1e3 * np.finfo(block.dtype).eps:
        return block
    return np.asarray(np.linalg.qr((block - overlap @ basis).T)[0].T)
