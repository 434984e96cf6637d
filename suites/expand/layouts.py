"""Sizes and strides: random sets of them, and the exact oracle for whether their elements overlap."""

from __future__ import annotations

import numpy as np

MOST_DIMENSIONS = 6
MOST_ELEMENTS = 600


def draw_layouts(rng: np.random.Generator, count: int, dims: int) -> np.ndarray:
    """``count`` sets of sizes and strides (count, 2, dims) in elements, int64, of at most ``MOST_ELEMENTS`` elements.

    In turn: strides without rule; those of a dense tensor whose dimensions are permuted and spread; the same with one
    stride made smaller, which is what collides or just fits; and one stride set to zero.
    """
    layouts = np.empty((count, 2, dims), dtype=np.int64)
    for index, (sizes, strides) in enumerate(layouts):
        sizes[:] = _sizes(rng, dims)
        if index % 4 == 0:
            strides[:] = rng.integers(0, 25, size=dims)
            continue
        order = rng.permutation(dims)
        step = 1
        for dim in order:
            strides[dim] = step + rng.integers(0, 3)
            step = strides[dim] * max(1, sizes[dim])
        if index % 4 == 2:
            dim = rng.integers(dims)
            strides[dim] = rng.integers(1, max(2, strides[dim] + 1))
        elif index % 4 == 3:
            strides[rng.integers(dims)] = 0
    return layouts


def _sizes(rng: np.random.Generator, dims: int) -> np.ndarray:
    sizes = rng.integers(1, 6, size=dims)
    while np.prod(sizes) > MOST_ELEMENTS:
        sizes[rng.integers(dims)] = 1
    if rng.random() < 0.03:
        sizes[rng.integers(dims)] = 0
    return sizes


def overlaps(sizes: np.ndarray, strides: np.ndarray) -> bool:
    """Whether two different index tuples have the same address, by writing all addresses down."""
    addresses = np.zeros(1, dtype=np.int64)
    for size, stride in zip(sizes, strides, strict=True):
        addresses = (addresses[:, None] + stride * np.arange(size)).ravel()
    return len(np.unique(addresses)) < len(addresses)
