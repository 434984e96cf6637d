"""The rounds of AdaBoost in NumPy around any search for a stump."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from suites.adaboost.suite import REDRAWS, TIE, draw_counts, sorted_uniforms, unused

Boosted = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Features, thresholds, polarities, alphas and errors, (rounds,) each."""


class Stump(NamedTuple):
    feature: int
    threshold: float
    polarity: int


def boost(
    x: np.ndarray, y: np.ndarray, rounds: int, find_stump: Callable[[np.ndarray], Stump], draws: int | None = None
) -> Boosted:
    """Boost ``rounds`` times.

    :param find_stump: from weights (rows,) to the best stump. With ``draws`` it gets the numbers of times that rows
        were drawn, int64, in their place.
    :param draws: the seed of the resampling mode; ``None`` reweights.
    """
    rows = len(y)
    outputs = unused(rounds)
    weights = np.full(rows, 1 / rows)
    rng = np.random.default_rng(draws)
    for m in range(rounds):
        for _ in range(1 if draws is None else 1 + REDRAWS):
            if draws is None:
                stump = find_stump(weights)
            else:
                stump = find_stump(draw_counts(weights, sorted_uniforms(rng, rows)))
            right = x[:, stump.feature] > stump.threshold
            agrees = np.where(right, stump.polarity, -stump.polarity) == y
            error = weights[~agrees].sum()
            if error < 0.5 - TIE:
                break
        else:
            break
        floored = error if error > 0 else 1 / (2 * rows)
        alpha = 0.5 * np.log((1 - floored) / floored)
        for name, value in zip(outputs, (*stump, alpha, error), strict=True):
            outputs[name][m] = value
        if error == 0:
            break
        weights = weights * np.where(agrees, np.exp(-alpha), np.exp(alpha))
        weights /= weights.sum()
    return outputs["features"], outputs["thresholds"], outputs["polarities"], outputs["alphas"], outputs["errors"]


def between(lower: float, upper: float) -> float:
    """The threshold between two neighbouring values."""
    middle = lower + (upper - lower) / 2
    return middle if middle < upper else lower


def score(boosted: Boosted, x: np.ndarray) -> np.ndarray:
    """Sum of alpha h for each row of ``x``, float64."""
    features, thresholds, polarities, alphas, _ = boosted
    total = np.zeros(len(x))
    for feature, threshold, weight in zip(features, thresholds, alphas * polarities, strict=True):
        if weight:
            total += np.where(x[:, feature] > threshold, weight, -weight)
    return total


def first_best(plus: np.ndarray, total: float) -> tuple[int, float]:
    """The first of ``plus``, errors of polarity 1, by which one polarity has the least error; and that error.

    Its error is that of polarity 1 if ``plus[place]`` is the least, of polarity -1 otherwise.
    """
    best = min(plus.min(), total - plus.max())
    place = int(np.argmax((plus <= best + TIE) | (total - plus <= best + TIE)))
    return place, float(best)
