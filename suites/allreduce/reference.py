"""The sum over ranks in float64, and how far from it an answer may be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs
from suites.allreduce.settings import Settings

UNIT_ROUND_OFF = 2.0**-24


def reference(addends: np.ndarray, settings: Settings) -> dict[str, np.ndarray]:
    """What every rank has in every buffer after the call.

    :param addends: (ranks, n), the values that each rank begins with.
    :returns: ``sums`` (ranks, repeats, n).
    """
    with np.errstate(invalid="ignore"):
        total = addends.sum(axis=0, dtype=np.float64)
    return {"sums": np.broadcast_to(total, (settings.ranks, settings.repeats, addends.shape[1]))}


def depth(kind: str, ranks: int) -> int:
    """The most additions that a value takes part in: ``linear``, ``logarithmic``, or ``double_tree``.

    An inner node of a binary tree adds the values of two children to its own, so that a value takes part in two
    additions on each of the levels, which in a binomial tree or by doubling is one.
    """
    levels = (ranks - 1).bit_length()
    return {"linear": ranks - 1, "logarithmic": levels, "double_tree": 2 * levels}[kind or "linear"]


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The largest error in units of what rounding allows, (depth + 1) u sum |x|; 1 is the limit.

    Ranks that do not have the same bits, or other bits after a further all-reduce, are wrong altogether. Where the
    reference is infinite or NaN the answer must be the same.
    """
    sums = np.ascontiguousarray(outputs["sums"])
    first = sums[0, 0]
    if any(buffer.tobytes() != first.tobytes() for rank in sums for buffer in rank):
        return {"sums": float("inf")}
    return {"sums": error_over_bound(first, inputs["addends"], kind, expected["sums"][0, 0])}


def error_over_bound(total: np.ndarray, addends: np.ndarray, kind: str, expected: np.ndarray) -> float:
    """The largest error of a sum (n,) over its bound; infinite where a value that is not finite is another one."""
    finite = np.isfinite(expected)
    wide = total.astype(np.float64)
    same = (wide == expected) | (np.isnan(wide) & np.isnan(expected))
    if not np.all(same | finite) or not np.all(np.isfinite(wide[finite])):
        return float("inf")
    sizes = np.abs(addends[:, finite]).sum(axis=0, dtype=np.float64)
    bound = (depth(kind, len(addends)) + 1) * UNIT_ROUND_OFF * sizes
    error = np.abs(wide[finite] - expected[finite])
    if np.any(error[bound == 0] > 0):
        return float("inf")
    return float(np.max(error[bound > 0] / bound[bound > 0], initial=0.0))
