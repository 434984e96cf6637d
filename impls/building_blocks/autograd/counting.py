"""Counting what is computed and what is kept, while it happens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Operations:
    """Floating-point operations: of matrix products (two for each multiplication and addition), and of all else."""

    matmul: int = 0
    elementwise: int = 0


class CountingArray(np.ndarray):
    """An array that counts the operations in which it, or what was made of it, takes part."""

    count: Operations

    @classmethod
    def of(cls, array: np.ndarray, count: Operations) -> CountingArray:
        counting = np.asarray(array).view(cls)
        counting.count = count
        return counting

    def __array_finalize__(self, source: Any) -> None:
        if isinstance(source, CountingArray):
            self.count = source.count

    def __getitem__(self, index: Any) -> CountingArray:
        return CountingArray.of(np.asarray(super().__getitem__(index)), self.count)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            options["out"] = tuple(np.asarray(each) for each in out)
        arrays = [np.asarray(each) if isinstance(each, CountingArray) else each for each in inputs]
        result = getattr(ufunc, method)(*arrays, **options)
        if ufunc is np.matmul:
            self.count.matmul += 2 * np.size(result) * np.shape(arrays[0])[-1]
        else:
            self.count.elementwise += np.size(arrays[0]) if method in ("reduce", "at") else np.size(result)
        if out is not None:
            return out[0]
        return None if result is None else CountingArray.of(result, self.count)


def unique_bytes(arrays: Iterable[np.ndarray]) -> int:
    """Bytes of memory that ``arrays`` occupy, each byte once, however many views of it there are."""
    total, end = 0, 0
    for low, high in sorted(np.lib.array_utils.byte_bounds(array) for array in arrays if array.size):
        total += max(0, high - max(low, end))
        end = max(end, high)
    return total
