"""How far an ensemble's answer is from the reference's, by kind of implementation; 1 is the limit for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs

SAME_MEMBERS = 1e-10
"""Largest difference, relative to the largest score, where members, rows and seeds are the same."""
CONTRADICTIONS = 0.25
"""Largest share of fresh rows of another class where a library draws its own bootstrap samples."""
SPREAD = 0.25
"""Largest root mean square difference of a regression over the standard deviation of the reference's predictions."""


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of each output over what its kind is allowed.

    - ``exact``: all agree to 1e-10; trees are the same, and linear models within rounding.
    - ``library``: the same for voting and stacking, which draw nothing; under bagging and boosting similar predictions,
      since a library draws its own rows and seeds.
    """
    errors = {name: _difference(outputs[name], expected[name]) / SAME_MEMBERS for name in outputs}
    if kind == "library" and inputs["method"] in ("bagging", "adaboost", "gradient_boosting") and "scores" in outputs:
        errors["scores"] = _dissimilarity(outputs["scores"], expected["scores"])
    return errors


def _difference(found: np.ndarray, wanted: np.ndarray) -> float:
    if found.shape != wanted.shape or not np.all(np.isfinite(found)):
        return float("inf")
    scale = float(np.max(np.abs(wanted), initial=0.0))
    return float(np.max(np.abs(found - wanted), initial=0.0)) / (scale or 1.0)


def _dissimilarity(found: np.ndarray, wanted: np.ndarray) -> float:
    if not np.all(np.isfinite(found)):
        return float("inf")
    if wanted.shape[1] == 1:
        return float(np.sqrt(np.mean((found - wanted) ** 2)) / np.std(wanted)) / SPREAD
    if not np.allclose(found.sum(axis=1), 1, atol=1e-6):
        return float("inf")
    return float(np.mean(found.argmax(axis=1) != wanted.argmax(axis=1))) / CONTRADICTIONS
