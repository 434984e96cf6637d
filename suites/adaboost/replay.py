"""What follows from a sequence of stumps: weights, errors and votes, worked out again from the definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class Replay(NamedTuple):
    """Rounds that were held, on one training set.

    :param votes: of each round on each row, int8 (rounds, rows).
    :param weights: D_1 to D_{m+1}, float64 (rounds + 1, rows).
    :param errors: of each round's stump under its own weights, float64 (rounds,).
    """

    votes: np.ndarray
    weights: np.ndarray
    errors: np.ndarray


def votes(outputs: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """-1 or 1 of each held round on each row of ``x``, int8 (rounds, rows)."""
    held = int(np.count_nonzero(outputs["features"] >= 0))
    features = outputs["features"][:held].astype(np.int64)  # an empty list of another implementation is of floats
    right = x.T[features] > outputs["thresholds"][:held, None]
    return np.where(right, 1, -1).astype(np.int8) * outputs["polarities"][:held, None].astype(np.int8)


def replay(outputs: Mapping[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> Replay:
    """Reweight with the delivered ``alphas``, D_{m+1} in proportion to D_m exp(-alpha y h)."""
    cast = votes(outputs, x)
    weights = np.empty((len(cast) + 1, len(y)))
    errors = np.empty(len(cast))
    weights[0] = 1 / len(y)
    for m, vote in enumerate(cast):
        agreement = vote * y.astype(np.float64)
        errors[m] = weights[m][agreement < 0].sum()
        grown = weights[m] * np.exp(-outputs["alphas"][m] * agreement)
        weights[m + 1] = grown / grown.sum()
    return Replay(cast, weights, errors)


def staged_errors(outputs: Mapping[str, np.ndarray], cast: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of rows that the sign of the score gets wrong after 1, 2, ... rounds; a score of 0 is positive."""
    scores = np.zeros(len(y))
    wrong = np.empty(len(cast))
    for m, vote in enumerate(cast):
        scores += outputs["alphas"][m] * vote
        wrong[m] = np.mean(np.where(scores >= 0, 1, -1) != y)
    return wrong


def least_margins(outputs: Mapping[str, np.ndarray], cast: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smallest normalised margin y F / sum(alpha), from -1 to 1, after 1, 2, ... rounds."""
    alphas = outputs["alphas"][: len(cast)]
    scores = np.zeros(len(y))
    least = np.empty(len(cast))
    for m, vote in enumerate(cast):
        scores += alphas[m] * vote
        least[m] = (y * scores).min() / alphas[: m + 1].sum()
    return least
