"""How far an answer is from the exact one, by kind of implementation.

The error is the share of what its kind is allowed, so that 1 is the limit for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.contract import Arrays, Inputs
from suites.gbdt.reference import boost

SAME_SPLITS = 1e-10
"""Largest difference of scores, relative to the largest score, where all splits must be the reference's."""
ROUNDING = 1e-15
"""The same, relative to the largest target: what is left of scores that cancel altogether, as where classes balance."""
AUC_MARGIN = 0.002
LOSS_MARGIN = 0.01
OTHER_GAIN_AUC_MARGIN = 0.03
"""For libraries that weigh the gain of logistic loss with Hessians. That makes other trees, of which ten differ by up
to 0.017 on a few thousand rows; under squared loss, where the trees are the same, ``LOSS_MARGIN`` holds for them."""
FRESH_MARGIN = 0.75
"""Largest root mean square difference on fresh rows over the standard deviation of the reference's scores there."""


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of ``test_scores`` over the allowance of ``kind``.

    - ``exact``: all scores agree to 1e-10.
    - ``histogram``: the same where every feature has at most ``bins`` distinct values, else as good on the training
      rows (AUC within 0.002 under logistic loss, mean squared error within 1 %) and similar on fresh ones.
    - ``own_thresholds``: exact, with thresholds elsewhere between the same training values and tied features tried in
      another order. Training rows agree to 1e-10, fresh rows are similar. Where target values repeat, different splits
      are tied, above all under logistic loss; then judged as a ``library``.
    - ``library``: single-precision gradients, own bin edges and, under logistic loss, gains weighted with Hessians:
      as good on the training rows (AUC within 0.03, mean squared error within 1 %), similar on fresh ones. Where that
      fails under logistic loss, the same beside the reference's own trees with such gains.
    """
    error = _error(outputs, expected, inputs, kind)
    if kind == "library" and inputs["loss"] == "logistic" and 1.0 < error < math.inf:
        error = min(error, *(_error(outputs, each, inputs, kind) for each in _of_second_order(inputs)))
    return {"test_scores": error}


def _of_second_order(inputs: Inputs) -> Iterator[Arrays]:
    """What the reference finds with the gains of the libraries, with the least rows in a leaf and the least weight."""
    wide: dict[str, Any] = {
        name: value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
        for name, value in inputs.items()
        if name != "bins"
    }
    yield {"test_scores": boost(**wide, second_order=True)}
    of_weight = {**wide, "min_rows": 1, "least_weight": wide["min_rows"] / 4}
    yield {"test_scores": boost(**of_weight, second_order=True)}


def _error(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> float:
    scores, wanted = outputs["test_scores"], expected["test_scores"]
    seen = len(wanted) // 2
    if not np.all(np.isfinite(scores)):
        return math.inf
    if kind == "exact" or (kind == "histogram" and lossless(inputs)):
        return _difference(scores, wanted, inputs)
    fresh = _fresh_difference(scores[seen:], wanted[seen:]) / FRESH_MARGIN
    if kind == "own_thresholds" and len(np.unique(inputs["y_train"])) == len(inputs["y_train"]):
        on_training_rows = _difference(scores[:seen], wanted[:seen], inputs)
    else:
        on_training_rows = _loss_of_quality(scores[:seen], wanted[:seen], inputs, kind)
    return max(on_training_rows, fresh)


def lossless(inputs: Inputs) -> bool:
    """Whether every feature has a bin for each of its distinct values."""
    return all(len(np.unique(column)) <= inputs["bins"] for column in inputs["x_train"].T)


def area_under_curve(labels: np.ndarray, scores: np.ndarray) -> float:
    """Share of (positive, negative) pairs that the scores put in order, ties counting half."""
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(sizes) - (sizes - 1) / 2
    positive = labels > 0
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if positives == 0 or negatives == 0:
        return 0.5
    return float((middle_rank[group[positive]].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _difference(scores: np.ndarray, wanted: np.ndarray, inputs: Inputs) -> float:
    """Of the largest difference to the one that the same splits leave."""
    largest_score, largest_target = (float(np.max(np.abs(each), initial=0.0)) for each in (wanted, inputs["y_train"]))
    allowed = max(SAME_SPLITS * largest_score, ROUNDING * largest_target)
    difference = float(np.max(np.abs(scores - wanted), initial=0.0))
    if difference == 0:
        return 0.0
    return difference / allowed if allowed else math.inf


def _fresh_difference(scores: np.ndarray, wanted: np.ndarray) -> float:
    spread = max(float(np.std(wanted)), 1e-6 * float(np.max(np.abs(wanted), initial=1.0)))
    return float(np.sqrt(np.mean((scores - wanted) ** 2))) / spread


def _loss_of_quality(scores: np.ndarray, wanted: np.ndarray, inputs: Inputs, kind: str) -> float:
    target = inputs["y_train"][: len(wanted)]
    if inputs["loss"] == "squared":
        exact = float(np.mean((target - wanted) ** 2))
        return abs(float(np.mean((target - scores) ** 2)) - exact) / (LOSS_MARGIN * exact)
    margin = AUC_MARGIN if kind == "histogram" else OTHER_GAIN_AUC_MARGIN
    return abs(area_under_curve(target, scores) - area_under_curve(target, wanted)) / margin
