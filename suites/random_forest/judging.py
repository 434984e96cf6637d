"""How far an answer is from the exact one, by kind of implementation.

The error is the share of what its kind is allowed, so that 1 is the limit for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs

SAME_TREES = 1e-12
"""Largest difference of frequencies and shares of votes where every node must be the reference's."""
MOST_BINS = 256
ACCURACY_MARGIN = 0.06
FREQUENCY_MARGIN = 0.25
"""Largest root mean square difference of frequencies on fresh rows: 20 trees of other draws differ by about 0.15."""


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of ``probability`` and ``votes`` over the allowance of ``kind``.

    - ``exact``: both agree to 1e-12.
    - ``histogram``: the same where every feature has at most 256 distinct values, else judged as a ``library``.
    - ``library``: other random draws, so that only the quality can agree: rows sum to 1, accuracy on training rows
      within 6 points of the reference's, frequencies similar on fresh rows (whose labels are no input).
    """
    exact = kind == "exact" or (kind == "histogram" and lossless(inputs))
    judge = _difference if exact else _quality
    return {name: judge(array, expected[name], inputs) for name, array in outputs.items()}


def lossless(inputs: Inputs) -> bool:
    """Whether every feature has a bin of its own for each of its distinct values."""
    return all(len(np.unique(column)) <= MOST_BINS for column in inputs["x_train"].T)


def _difference(found: np.ndarray, wanted: np.ndarray, inputs: Inputs) -> float:
    if not np.all(np.isfinite(found)):
        return float("inf")
    return float(np.max(np.abs(found - wanted), initial=0.0)) / SAME_TREES


def _quality(found: np.ndarray, wanted: np.ndarray, inputs: Inputs) -> float:
    if not np.all(np.isfinite(found)) or np.any(np.abs(found.sum(axis=1) - 1) > 1e-5):
        return float("inf")
    seen = len(wanted) // 2
    target = inputs["y_train"][:seen]
    right, wanted_right = (float(np.mean(answer[:seen].argmax(axis=1) == target)) for answer in (found, wanted))
    apart = float(np.sqrt(np.mean((found[seen:] - wanted[seen:]) ** 2)))
    return max(abs(right - wanted_right) / ACCURACY_MARGIN, apart / FREQUENCY_MARGIN)
