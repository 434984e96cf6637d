"""Counting what a tiled or untiled attention moves between main memory and the chip, and the products it computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Traffic:
    """Goes along with the algorithm itself: what is loaded, stored and multiplied is counted where it happens.

    Arrays (B, H, rows, columns) are matrices in the dtype of the inputs; arrays (B, H, rows) are statistics of rows
    (maxima, sums, log-sum-exp), which every version keeps in float32 whatever the inputs are.
    """

    matrix_elements: int = 0
    row_elements: int = 0
    multiply_adds: int = 0

    @property
    def accesses(self) -> int:
        """Loads and stores of single numbers."""
        return self.matrix_elements + self.row_elements

    def bytes_moved(self, itemsize: int) -> int:
        """Bytes loaded and stored when matrix elements take ``itemsize`` bytes."""
        return self.matrix_elements * itemsize + self.row_elements * 4

    def load(self, *arrays: np.ndarray) -> None:
        """Main memory to chip. The arrays are read in place, so that counting costs a plain run nothing to speak of."""
        for array in arrays:
            if array.ndim == 4:
                self.matrix_elements += array.size
            else:
                self.row_elements += array.size

    def store(self, *arrays: np.ndarray) -> None:
        """Chip to main memory."""
        self.load(*arrays)

    def multiply(self, a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """a @ b over the leading axes, counted."""
        self.multiply_adds += a.size * b.shape[-1]
        return np.matmul(a, b, out=out)
