"""How far an answer is from the exact one, by kind of implementation.

The error is the share of what its kind is allowed, so that 1 is the limit for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.contract import Arrays, Inputs
from suites.xgboost.model import Model
from suites.xgboost.reference import reference

MARGIN = 1e-6
"""Largest difference of gains, covers, weights and scores relative to the larger of the entry and ``FLOOR``."""
FLOOR = 1e-3
"""Entries below this share of the largest one are held to the margin of that share: their digits cancelled."""
ROUNDING = 1e-9
"""Entries below this are what is left of sums that cancel altogether, as a leaf's weight where the classes balance."""
LIBRARY_MARGIN = 0.02
"""Allowed relative difference of the training loss where sums are in single precision or candidates are fewer."""
FIRST_ORDER_MARGIN = 0.15
"""The same for a library of first order, whose choice among splits that are nearly tied is not the reference's."""
FRESH_MARGIN = 0.75
"""Largest root mean square difference on fresh rows over the standard deviation of the reference's scores there."""
WHOLE = ("feature", "default_left")


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of each output over the allowance of ``kind``.

    - ``exact``: the reference's trees, split by split, gains, covers, weights and scores to 1e-6. Implementations that
      search among fewer candidates are checked on features of so few values that they must propose them all.
    - ``library``: as good on the training rows (mean loss within 2 %) and similar on fresh ones.
    - ``first_order_library``: the same within 15 %, or against the reference's own trees of first order with Newton
      leaves and no L2 penalty, which is what it grows whatever was asked for.
    """
    if kind == "exact":
        return {name: _difference(name, output, expected[name]) for name, output in outputs.items()}
    if kind == "library":
        return _distances(outputs, expected, inputs, LIBRARY_MARGIN)
    found = [_distances(outputs, each, inputs, FIRST_ORDER_MARGIN) for each in (expected, _of_first_order(inputs))]
    return min(found, key=lambda errors: errors["test_scores"])


def _distances(outputs: Arrays, expected: Arrays, inputs: Inputs, margin: float) -> Mapping[str, float]:
    """How far answers are from being as good as ``expected`` on training rows and similar on fresh ones."""
    scores, wanted = outputs["test_scores"], expected["test_scores"]
    if not np.all(np.isfinite(scores)):
        return dict.fromkeys(outputs, float("inf"))
    seen = len(wanted) // 2
    target, model = inputs["y_train"][:seen], inputs["model"]
    exact = mean_loss(target, wanted[:seen], model)
    of_quality = abs(mean_loss(target, scores[:seen], model) - exact) / (margin * max(exact, 1e-9))
    fresh = _fresh_difference(scores[seen:], wanted[seen:]) / FRESH_MARGIN
    errors = {name: _difference(name, output, expected[name]) for name, output in outputs.items()}
    return {**errors, "test_scores": max(of_quality, fresh)}


def _of_first_order(inputs: Inputs) -> Arrays:
    """What the reference finds by first-order splits, with as many rows in a leaf as hold the least weight for sure."""
    model: Model = inputs["model"]
    rows = math.ceil(model.min_child_weight * (4 if model.loss == "logistic" else 1))
    own = model._replace(order="newton_leaves", l2=0.0, min_child_weight=0.0, min_rows=max(1, model.min_rows, rows))
    wide = {
        name: value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in inputs.items()
    }
    arguments: dict[str, Any] = {**wide, "model": own}
    return dict(reference(**arguments))


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
    scale = np.maximum(magnitude, max(FLOOR * float(np.max(magnitude, initial=0.0)), ROUNDING))
    error = np.abs(output[finite] - wanted[finite]) / scale
    return float(np.max(error, initial=0.0)) / MARGIN


def _fresh_difference(scores: np.ndarray, wanted: np.ndarray) -> float:
    spread = max(float(np.std(wanted)), 1e-6 * float(np.max(np.abs(wanted), initial=1.0)))
    return float(np.sqrt(np.mean((scores - wanted) ** 2))) / spread
