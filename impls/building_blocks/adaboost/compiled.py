"""The rounds of AdaBoost around the compiled scan, by reweighting and by resampling."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from impls.building_blocks.adaboost.rounds import Boosted
from impls.building_blocks.adaboost.scan import Choice, Columns, choose, error_of, reweight, scan
from suites.adaboost.suite import REDRAWS, TIE, draw_counts, sorted_uniforms, unused


def boost_reweighted(columns: Columns, y: np.ndarray, rounds: int) -> Boosted:
    """Boost on the weighted rows."""
    boosted = _outputs(rounds)
    _boost(columns, y.astype(np.float64) / len(y), rounds, *boosted)
    return boosted


@njit(cache=True)
def _boost(
    columns: Columns,
    signed: np.ndarray,
    rounds: int,
    features: np.ndarray,
    thresholds: np.ndarray,
    polarities: np.ndarray,
    alphas: np.ndarray,
    errors: np.ndarray,
) -> None:
    for m in range(rounds):
        choice, error = _best(columns, signed, signed, False)
        if error >= 0.5 - TIE:
            return
        features[m], thresholds[m], polarities[m] = choice.feature, choice.threshold, choice.polarity
        errors[m], alphas[m] = error, _weight_of(error, len(signed))
        if error == 0.0:
            return
        reweight(columns, choice, error, signed)


def boost_resampled(columns: Columns, y: np.ndarray, rounds: int, seed: int) -> Boosted:
    """Boost on rows drawn from the weights; the drawn rows need no sort, only the number of times each was drawn."""
    boosted = features, thresholds, polarities, alphas, errors = _outputs(rounds)
    signed, rows, rng = y.astype(np.float64) / len(y), len(y), np.random.default_rng(seed)
    for m in range(rounds):
        for _ in range(1 + REDRAWS):
            counts = draw_counts(np.abs(signed), sorted_uniforms(rng, rows)) * np.sign(y)
            choice, error = _best(columns, counts, signed, True)
            if error < 0.5 - TIE:
                break
        else:
            break
        features[m], thresholds[m], polarities[m] = choice.feature, choice.threshold, choice.polarity
        errors[m], alphas[m] = error, _weight_of(error, rows)
        if error == 0.0:
            break
        reweight(columns, choice, error, signed)
    return boosted


@njit(cache=True)
def _best(columns: Columns, scanned: np.ndarray, signed: np.ndarray, drawn: bool) -> tuple[Choice, float]:
    """The best stump on the weights or counts ``scanned``, and its error under the weights ``signed``."""
    least, largest = np.empty(len(columns.places)), np.empty(len(columns.places))
    scan(columns, scanned, least, largest)
    choice = choose(columns, scanned, least, largest, drawn)
    return choice, error_of(columns, choice, signed)


@njit(cache=True)
def _weight_of(error: float, rows: int) -> float:
    floored = error if error > 0.0 else 1 / (2 * rows)
    return 0.5 * math.log((1 - floored) / floored)


def _outputs(rounds: int) -> Boosted:
    outputs = unused(rounds)
    return outputs["features"], outputs["thresholds"], outputs["polarities"], outputs["alphas"], outputs["errors"]
