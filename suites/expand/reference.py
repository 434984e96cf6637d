"""The answers: NumPy on arrays that own their memory, and what has to be refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Raised
from suites.expand.layouts import overlaps


def reference(
    x: np.ndarray, other: np.ndarray, shape: tuple[int, ...], step: int, layouts: np.ndarray, operation: str
) -> Mapping[str, Any]:
    """``x[..., ::step]`` repeated to ``shape`` in memory of its own, and then, by ``operation``:

    ``read``: that array. ``weigh``: its products with ``other`` summed over the last dimension. ``write`` and
    ``write_unexpanded``: ``other`` is added to it in place; the answer holds it and, after it, all of x, which must
    not have changed. ``backward``: the gradient in x of the sum of its products with ``other``. ``overlap``: nothing of
    this, but 1 for every layout whose elements overlap, 0 for every other.

    Errors: ``shape`` where x does not go into ``shape``, ``no gradient`` for integers.
    """
    if operation == "overlap":
        return {"value": np.array([overlaps(*each) for each in layouts], dtype=np.float64)}
    taken = x[..., ::step] if step > 1 else x
    whole = resolve(taken.shape, shape)
    if whole is None:
        return {"value": Raised("shape")}
    made = np.broadcast_to(taken, whole).copy()
    if operation == "read":
        return {"value": made}
    if operation == "weigh":
        return {"value": (made * other).sum(axis=-1, dtype=made.dtype)}
    if operation in ("write", "write_unexpanded"):
        return {"value": np.concatenate([(made + other).ravel(), x.ravel()])}
    if operation == "backward":
        if x.dtype.kind not in "fc":
            return {"value": Raised("no gradient")}
        gradient = np.zeros_like(x)
        target = gradient[..., ::step] if step > 1 else gradient
        new = len(whole) - taken.ndim
        wider = tuple(new + dim for dim, size in enumerate(taken.shape) if size == 1 and whole[new + dim] != 1)
        target[...] = other.sum(axis=(*range(new), *wider)).reshape(taken.shape)
        return {"value": gradient}
    raise ValueError(f"unknown operation {operation!r}")


def resolve(before: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """``shape`` with -1 replaced by the size that is kept; ``None`` where ``before`` does not expand to it."""
    new = len(shape) - len(before)
    if new < 0 or any(size < 0 for size in shape[:new]):
        return None
    kept = [old if size == -1 else size for size, old in zip(shape[new:], before, strict=True)]
    fits = all(size == old or (old == 1 and size >= 0) for size, old in zip(kept, before, strict=True))
    return (*shape[:new], *kept) if fits else None
