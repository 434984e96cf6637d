"""What jobs work on: drawn numbers and bytes, and rows of a photograph that comes with scikit-image."""

from __future__ import annotations

import numpy as np

LARGEST = 2**20
"""Below this whole numbers are drawn, so that sums of up to 2**33 of them are exact in float64."""


def whole_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """float64 (count,), each one of 0 to 2**20 - 1; drawn once for the first 2**20 and repeated beyond."""
    drawn = rng.integers(LARGEST, size=min(count, LARGEST)).astype(np.float64)
    return np.resize(drawn, count) if count > LARGEST else drawn


def image_rows(rng: np.random.Generator, rows: int) -> np.ndarray:
    """uint8 (rows, 512): the grey photograph of a cameraman, from a row drawn at random, in a circle."""
    from skimage.data import camera

    image = camera()  # type: ignore[no-untyped-call]
    first = int(rng.integers(len(image)))
    return np.ascontiguousarray(image[(first + np.arange(rows)) % len(image)])
