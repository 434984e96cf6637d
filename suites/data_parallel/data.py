"""The handwritten digits of scikit-learn (UCI ML hand-written digits, test part): 1,797 images of 8x8 pixels."""

from __future__ import annotations

import numpy as np


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (1797, 64) scaled to 0..1, and classes (1797,) int64, in the order of the package."""
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    return pixels / 16.0, classes.astype(np.int64)
