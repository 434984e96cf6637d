"""Memory that forked processes share."""

from __future__ import annotations

import mmap

import numpy as np


def shared_array(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Zeros in memory that forked processes share; it has no name and goes with its last user."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype=dtype, count=int(np.prod(shape))).reshape(shape)
