"""Inner products of a table's columns in one pass, centred on the way (shifted data: Chan, Golub and LeVeque 1983)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import blas

BLOCK_BYTES = 1 << 20
FEWEST_ROWS, MOST_ROWS = 64, 4_096
# Up to this ratio of squares, a sum of raw products loses two digits at most.
HARMLESS_MEAN = 4.0


class Moments(NamedTuple):
    """What a pass over some rows leaves.

    :param rows: how many they are.
    :param mean: (d,).
    :param products: (d, d) in Fortran order, of which the lower triangle holds the sum of (x - mean)(x - mean)^T.
    """

    rows: int
    mean: np.ndarray
    products: np.ndarray


def moments(x: np.ndarray) -> Moments:
    """Moments of x (n, d) in one pass by symmetric rank-k updates of blocks that stay in the cache.

    Rows are shifted by the mean of the first block, so that what is subtracted at the end, n times the outer product of
    the remaining mean, is small against the sum: nothing cancels however far the mean is from 0. Where the first block
    shows the mean to be of the size of the spread, no shift is needed and none is made, unless it turns out that the
    first block was not like the others.
    """
    height = min(MOST_ROWS, max(FEWEST_ROWS, BLOCK_BYTES // (x.itemsize * x.shape[1])))
    first = x[:height]
    shift = first.mean(axis=0)
    if _is_harmless(shift, float(np.square(first).sum()), len(first)):
        found = _shifted(x, None, max(height, MOST_ROWS))
        if _is_harmless(found.mean, _trace(found), len(x)):
            return found
    return _shifted(x, shift, height)


def _shifted(x: np.ndarray, shift: np.ndarray | None, height: int) -> Moments:
    n, d = x.shape
    update, subtract = (blas.ssyrk, blas.ssyr) if x.dtype == np.float32 else (blas.dsyrk, blas.dsyr)
    products = np.zeros((d, d), dtype=x.dtype, order="F")
    sums = np.zeros(d, dtype=x.dtype)
    buffer = np.empty((height, d), dtype=x.dtype) if shift is not None else x
    ones = np.ones(min(n, height), dtype=x.dtype)
    for start in range(0, n, height):
        rows = x[start : start + height]
        if shift is not None:
            rows = np.subtract(rows, shift, out=buffer[: len(rows)])
        sums += ones[: len(rows)] @ rows
        # The transpose is in Fortran order already, so that BLAS reads the rows where they are.
        products = update(1.0, rows.T, beta=1.0, c=products, lower=1, overwrite_c=1)
    mean = sums / x.dtype.type(n)
    products = subtract(-float(n), mean, a=products, lower=1, overwrite_a=1)
    return Moments(n, mean if shift is None else mean + shift, products)


def _is_harmless(mean: np.ndarray, squares: float, rows: int) -> bool:
    """Whether the mean takes up no more of the sum of squares about 0 than ``HARMLESS_MEAN`` times the spread does."""
    of_mean = rows * float(mean @ mean)
    return of_mean <= HARMLESS_MEAN * max(squares - of_mean, 0.0)


def _trace(found: Moments) -> float:
    """Sum of squares about 0 of the rows."""
    return float(np.trace(found.products)) + found.rows * float(found.mean @ found.mean)
