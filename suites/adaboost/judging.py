"""How far an answer is from the right one, by kind of implementation.

The error is the share of what is allowed, so that 1 is the limit for all outputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs
from suites.adaboost.reference import TIE, boost, weight_of
from suites.adaboost.replay import replay, staged_errors, votes

SAME_WEIGHTS = 1e-10
"""Largest relative difference of weights and scores, and largest difference of errors."""
LEAST_ALPHA = 1e-4
"""Smaller weights, of stumps hardly better than chance, are held to the difference that this one may have."""
ALWAYS_COMPARED = 100
"""Rounds that have to be the reference's. Later ones only until two candidates are tied: small differences of the
weights grow with the rounds."""
TRAINING_MARGIN = 0.1
"""Largest difference of the training error from the reference's where stumps are chosen by another criterion."""
FRESH_MARGIN = 0.3
"""Largest share of fresh rows on which such a classifier may contradict the reference."""


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """Errors by output.

    Whatever the kind, ``errors``, ``alphas`` and ``test_scores`` must follow from the stumps, round by round.

    - ``exact``: the reference's stump in every round (see ``ALWAYS_COMPARED``).
    - ``library``: stumps of another criterion, such as Gini's, that end in about the same classifier.
    """
    if not _well_formed(outputs, inputs):
        return dict.fromkeys(outputs, np.inf)
    held = int(np.count_nonzero(outputs["features"] >= 0))
    again = replay(outputs, inputs["x_train"], inputs["y_train"])
    alphas = np.array([weight_of(error, len(inputs["y_train"])) for error in again.errors])
    scores = fresh_scores(outputs, inputs)
    stumps = _stump_difference(outputs, expected, inputs) if kind == "exact" else _quality(outputs, expected, inputs)
    errors = {
        **dict.fromkeys(("features", "thresholds", "polarities"), stumps),
        "errors": _largest(outputs["errors"][:held] - again.errors),
        "alphas": _largest(outputs["alphas"][:held] - alphas, np.maximum(np.abs(alphas), LEAST_ALPHA)),
    }
    if "test_scores" in outputs:
        errors["test_scores"] = _largest(outputs["test_scores"] - scores, np.max(np.abs(scores), initial=0.0))
    return errors


def fresh_scores(outputs: Arrays, inputs: Inputs) -> np.ndarray:
    """Scores of ``x_test`` by the delivered stumps and weights."""
    cast = votes(outputs, inputs["x_test"])
    scores: np.ndarray = outputs["alphas"][: len(cast)] @ cast
    return scores


def _well_formed(outputs: Arrays, inputs: Inputs) -> bool:
    """Held rounds come first and are stumps; the others are as the suite says; all numbers are numbers."""
    features, polarities = outputs["features"], outputs["polarities"]
    held = int(np.count_nonzero(features >= 0))
    rest = slice(held, None)
    return bool(
        np.all(features[:held] >= 0)
        and np.all(features < inputs["x_train"].shape[1])
        and np.all(np.abs(polarities[:held]) == 1)
        and not np.any(np.isnan(outputs["thresholds"]))
        and all(np.all(np.isfinite(outputs[name])) for name in ("alphas", "errors", "test_scores") if name in outputs)
        and np.all(features[rest] == -1)
        and not np.any(polarities[rest])
        and not np.any(outputs["thresholds"][rest])
        and not np.any(outputs["alphas"][rest])
        and np.all(outputs["errors"][rest] == 0.5)
    )


def _stump_difference(outputs: Arrays, expected: Arrays, inputs: Inputs) -> float:
    """0 where every stump is the reference's as far as has to be compared, else infinite."""
    same = np.ones(len(expected["features"]), dtype=bool)
    for name in ("features", "thresholds", "polarities"):
        same &= outputs[name] == expected[name]
    if same.all():
        return 0.0
    agreed = int(np.argmin(same))
    if agreed < ALWAYS_COMPARED:
        return float("inf")
    return 0.0 if agreed >= first_ambiguous_round(inputs) else float("inf")


def first_ambiguous_round(inputs: Inputs) -> int:
    """The first round, from 0, beyond the hundredth in which the two best weighted errors are tied."""
    steps = boost(inputs["x_train"], inputs["y_train"], inputs["rounds"], inputs["mode"], inputs["seed"])
    for m, step in enumerate(steps):
        if m >= ALWAYS_COMPARED and step.gap <= TIE:
            return m
    return int(inputs["rounds"])


def _quality(outputs: Arrays, expected: Arrays, inputs: Inputs) -> float:
    found, wanted = (_training_error(each, inputs) for each in (outputs, expected))
    positive = [fresh_scores(each, inputs) >= 0 for each in (outputs, expected)]
    contradictions = float(np.mean(positive[0] != positive[1]))
    return max(abs(found - wanted) / TRAINING_MARGIN, contradictions / FRESH_MARGIN)


def _training_error(outputs: Arrays, inputs: Inputs) -> float:
    staged = staged_errors(outputs, votes(outputs, inputs["x_train"]), inputs["y_train"])
    return float(staged[-1]) if len(staged) else float(np.mean(inputs["y_train"] < 0))


def _largest(difference: np.ndarray, scale: np.ndarray | float = 1.0) -> float:
    relative = np.abs(difference) / np.where(np.asarray(scale) > 0, scale, 1.0)
    return float(np.max(relative, initial=0.0)) / SAME_WEIGHTS
