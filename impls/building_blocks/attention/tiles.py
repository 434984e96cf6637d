"""What the tiled NumPy versions share: cutting a sequence into tiles, the causal rule on a tile, exponentials."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def tiles(length: int, size: int) -> Iterator[slice]:
    """Slices of ``size``, the last one shorter where ``size`` does not divide ``length``."""
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def is_hidden(rows: slice, columns: slice, offset: int, causal: bool) -> bool:
    """Whether no query of the tile sees any of its keys; ``offset`` is Nk - Nq."""
    return causal and columns.start > rows.stop - 1 + offset


def hide(s: np.ndarray, rows: slice, columns: slice, offset: int, causal: bool) -> None:
    """-inf in the scores (..., rows, columns) whose key lies behind the bottom-right diagonal."""
    if causal and columns.stop - 1 > rows.start + offset:
        hidden = np.arange(columns.start, columns.stop)[None, :] > np.arange(rows.start, rows.stop)[:, None] + offset
        np.copyto(s, -np.inf, where=hidden)


def finite(maximum: np.ndarray) -> np.ndarray:
    """The row maxima with 0 in place of -inf, which must not be subtracted from -inf."""
    return np.where(np.isneginf(maximum), maximum.dtype.type(0), maximum)


def log_sum_exp(maximum: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Log-sum-exp of rows from their maxima and sums of exp(s - maximum); -inf for rows that see no key."""
    with np.errstate(divide="ignore"):
        lse: np.ndarray = finite(maximum) + np.log(total)
    return lse
