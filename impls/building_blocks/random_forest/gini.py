"""Scores of splits by class counts: S = A/n_L + B/n_R, where A and B are the sums of the squared counts of both sides.

Scores are compared as floating-point numbers, and where rounding could decide, exactly: as fractions of integers, whose
products have up to 128 bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

CLOSE = 1e-13
"""Scores this close, relative to the larger one, are compared exactly. Their own rounding errors are below 4e-16."""
MOST_ROWS = 3_000_000
"""The largest numerator, n^3 / 4, fits into 63 bits."""
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


class Best(NamedTuple):
    """The best split so far; ``feature`` -1: none. Its rank is a bin, a key or a place, whatever the search goes by."""

    score: float
    numerator: int
    denominator: int
    feature: int
    rank: int | np.int64
    next_rank: int | np.int64


@njit(cache=True)
def nothing() -> Best:
    return Best(-1.0, -1, 1, -1, 0, 0)


@njit(cache=True)
def better(
    best: Best, left_squares: int, right_squares: int, n_left: int, n_right: int, feature: int, rank: int, after: int
) -> Best:
    """The better one of ``best`` and a split of ``feature``; of tied ones that of the lowest feature, then the first.

    Splits of one feature have to come in increasing order.
    """
    score = left_squares / n_left + right_squares / n_right
    if score < best.score * (1.0 - CLOSE):
        return best
    numerator, denominator = left_squares * n_right + right_squares * n_left, n_left * n_right
    if score <= best.score * (1.0 + CLOSE) and best.feature >= 0:
        ahead = compare(numerator, denominator, best.numerator, best.denominator)
        if ahead < 0 or (ahead == 0 and feature >= best.feature):
            return best
    return Best(score, numerator, denominator, feature, np.int64(rank), np.int64(after))


@njit(cache=True)
def compare(numerator: int, denominator: int, other_numerator: int, other_denominator: int) -> int:
    """Sign of the first fraction less the second; all four are non-negative."""
    high, low = product(numerator, other_denominator)
    other_high, other_low = product(other_numerator, denominator)
    if high != other_high:
        return 1 if high > other_high else -1
    if low != other_low:
        return 1 if low > other_low else -1
    return 0


@njit(cache=True)
def product(a: int, b: int) -> tuple[np.uint64, np.uint64]:
    """The upper and the lower 64 bits of a product."""
    a_high, a_low = np.uint64(a) >> _HALF, np.uint64(a) & _LOW
    b_high, b_low = np.uint64(b) >> _HALF, np.uint64(b) & _LOW
    low = a_low * b_low
    middle = a_high * b_low + (low >> _HALF)
    other = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _HALF) + (other >> _HALF), (other << _HALF) | (low & _LOW)


@njit(cache=True)
def gain_of(best: Best, counts: np.ndarray) -> float:
    """The decrease of the Gini impurity of a node with these class ``counts``."""
    rows = squares = 0
    for count in counts:
        rows += count
        squares += count * count
    return best.score / rows - squares / (rows * rows)
