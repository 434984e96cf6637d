"""One call of a way to broadcast with NumPy; what it has no automatic derivatives for is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from harness.contract import Raised

Make = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


def run(
    make: Make, x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, operation: str
) -> Iterator[np.ndarray | Raised | None]:
    """The phases of the suite.

    :param make: ``(x, shape)`` to the array of that shape; a ValueError says that x does not go into it.
    """
    taken = x[..., ::step] if step > 1 else x
    try:
        made = make(taken, _without_minus_one(taken.shape, shape))
    except ValueError:
        yield None
        yield Raised("shape")
        return
    yield None
    if operation == "weigh":
        yield (made * other).sum(axis=-1, dtype=made.dtype)
    elif operation == "read":
        yield made
    else:
        try:
            made += other
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            yield Raised("read-only")
            return
        yield np.concatenate([made.ravel(), x.ravel()])


def _without_minus_one(before: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """NumPy has no size that means to keep what there is; in front of the old dimensions torch has none either."""
    new = len(shape) - len(before)
    return tuple(before[dim - new] if size == -1 and dim >= new else size for dim, size in enumerate(shape))
