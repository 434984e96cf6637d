"""How far an answer is from the exact one, by kind of implementation.

The error is the share of what its kind is allowed, so that 1 is the limit for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs
from suites.xgboost.model import Model

MARGIN = 1e-6
"""Largest difference of gains, covers, weights and scores relative to the larger of the entry and ``FLOOR``."""
FLOOR = 1e-3
"""Entries below this share of the largest one are held to the margin of that share: their digits cancelled."""
LIBRARY_MARGIN = 0.02
"""Allowed relative difference of the training loss where sums are in single precision or candidates are fewer."""
OTHER_ORDER_MARGIN = 0.15
"""The same for a library whose splits are of first order where second order was asked for."""
FRESH_MARGIN = 0.75
"""Largest root mean square difference on fresh rows over the standard deviation of the reference's scores there."""
WHOLE = ("feature", "default_left")


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of each output over the allowance of ``kind``.

    - ``exact``: the reference's trees, split by split, gains, covers, weights and scores to 1e-6. Implementations that
      search among fewer candidates are checked on features of so few values that they must propose them all.
    - ``library``: as good on the training rows (mean loss within 2 %) and similar on fresh ones.
    - ``first_order_library``: the same with 15 %.
    """
    if kind == "exact":
        return {name: _difference(name, output, expected[name]) for name, output in outputs.items()}
    scores, wanted = outputs["test_scores"], expected["test_scores"]
    if not np.all(np.isfinite(scores)):
        return dict.fromkeys(outputs, float("inf"))
    seen = len(wanted) // 2
    target, model = inputs["y_train"][:seen], inputs["model"]
    margin = LIBRARY_MARGIN if kind == "library" else OTHER_ORDER_MARGIN
    exact = mean_loss(target, wanted[:seen], model)
    of_quality = abs(mean_loss(target, scores[:seen], model) - exact) / (margin * max(exact, 1e-9))
    fresh = _fresh_difference(scores[seen:], wanted[seen:]) / FRESH_MARGIN
    errors = {name: _difference(name, output, expected[name]) for name, output in outputs.items()}
    return {**errors, "test_scores": max(of_quality, fresh)}


def mean_loss(y: np.ndarray, scores: np.ndarray, model: Model) -> float:
    """Mean of half the squared difference, or of the logistic loss, of raw scores."""
    if model.loss == "squared":
        return float(np.mean((y - scores) ** 2)) / 2
    return float(np.mean(np.logaddexp(0.0, scores) - y * scores))


def _difference(name: str, output: np.ndarray, wanted: np.ndarray) -> float:
    if name in WHOLE:
        wrong = int(np.count_nonzero(output != wanted))
        return 1.0 + wrong if wrong else 0.0
    finite = np.isfinite(wanted)
    if not np.all(np.isfinite(output) == finite) or np.any(output[~finite] != wanted[~finite]):
        return float("inf")
    magnitude = np.abs(wanted[finite])
    scale = np.maximum(magnitude, FLOOR * float(np.max(magnitude, initial=0.0)))
    error = np.abs(output[finite] - wanted[finite]) / np.where(scale > 0, scale, 1.0)
    return float(np.max(error, initial=0.0)) / MARGIN


def _fresh_difference(scores: np.ndarray, wanted: np.ndarray) -> float:
    spread = max(float(np.std(wanted)), 1e-6 * float(np.max(np.abs(wanted), initial=1.0)))
    return float(np.sqrt(np.mean((scores - wanted) ** 2))) / spread
