"""Boosting by the definition in float64: the oracle. Levels of a feature are summed up by their number.

Candidates whose errors differ by at most ``TIE`` are tied; no other rule could be kept under rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from suites.adaboost.draws import REDRAWS, draw_counts, sorted_uniforms

TIE = 1e-12
"""Weighted errors that differ by no more than this are equal, and one this close to 1/2 is no better than chance."""


class Stump(NamedTuple):
    """``polarity`` where the feature exceeds ``threshold``, the opposite elsewhere."""

    feature: int
    threshold: float
    polarity: int

    def votes(self, x: np.ndarray) -> np.ndarray:
        """-1 or 1 for each row of ``x``, int64."""
        return np.where(x[:, self.feature] <= self.threshold, -self.polarity, self.polarity)


class Step(NamedTuple):
    """One round: its stump, weighted error and weight, and how far the next best error was from the best."""

    stump: Stump
    error: float
    alpha: float
    gap: float


def reference(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, rounds: int, mode: str, seed: int
) -> Mapping[str, np.ndarray]:
    """All rounds' stumps with errors and weights, (rounds,) each, and the scores of ``x_test``."""
    outputs = unused(rounds)
    scores = np.zeros(len(x_test))
    for m, step in enumerate(boost(x_train, y_train, rounds, mode, seed)):
        outputs["features"][m], outputs["thresholds"][m], outputs["polarities"][m] = step.stump
        outputs["errors"][m], outputs["alphas"][m] = step.error, step.alpha
        scores += step.alpha * step.stump.votes(x_test)
    return {**outputs, "test_scores": scores}


def unused(rounds: int) -> dict[str, np.ndarray]:
    """The outputs of the phase ``boost`` before any round: what stays of rounds that are never held."""
    return {
        "features": np.full(rounds, -1, dtype=np.int64),
        "thresholds": np.zeros(rounds),
        "polarities": np.zeros(rounds, dtype=np.int64),
        "alphas": np.zeros(rounds),
        "errors": np.full(rounds, 0.5),
    }


def boost(x: np.ndarray, y: np.ndarray, rounds: int, mode: str, seed: int) -> Iterator[Step]:
    """The rounds one by one, until there are enough, none is wrong, or nothing is better than chance."""
    rows = len(y)
    signs = y.astype(np.float64)
    levels = [np.unique(column, return_inverse=True) for column in x.T]
    weights = np.full(rows, 1 / rows)
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        for _ in range(1 if mode == "reweight" else 1 + REDRAWS):
            counts = None
            if mode == "resample":
                counts = draw_counts(weights, sorted_uniforms(rng, rows))
            stump, gap = best_stump(levels, signs, weights if counts is None else counts / rows, counts)
            agreement = signs * stump.votes(x)
            error = float(weights[agreement < 0].sum())
            if error < 0.5 - TIE:
                break
        else:
            return
        yield Step(stump, error, weight_of(error, rows), gap)
        if error == 0:
            return
        weights = weights * np.exp(-weight_of(error, rows) * agreement)
        weights /= weights.sum()


def weight_of(error: float, rows: int) -> float:
    """alpha = ln((1 - e) / e) / 2; a stump without error counts as if half a row were wrong."""
    floored = error if error > 0 else 1 / (2 * rows)
    return float(0.5 * np.log((1 - floored) / floored))


def best_stump(
    levels: list[tuple[np.ndarray, np.ndarray]], signs: np.ndarray, weights: np.ndarray, counts: np.ndarray | None
) -> tuple[Stump, float]:
    """The stump of the least weighted error and the distance to the next candidate's error, which may be 0.

    :param levels: by feature its distinct values and the level of each row.
    :param counts: how often each row was drawn; only values that were drawn are known then.
    """
    negative = weights[signs < 0].sum()
    thresholds, errors = [], []
    for values, level in levels:
        sums = np.bincount(level, weights * signs, minlength=len(values))
        if counts is not None:
            known = np.bincount(level, counts, minlength=len(values)) > 0
            values, sums = values[known], sums[known]
        thresholds.append(np.concatenate([[-np.inf], midpoints(values)]))
        plus = negative + np.concatenate([[0.0], np.cumsum(sums)[:-1]])
        errors.append(np.stack([plus, weights.sum() - plus], axis=1).ravel())
    # Of all features' constant stumps, which are the same two, only the first feature's are candidates.
    errors[1:] = [each[2:] for each in errors[1:]]
    thresholds[1:] = [each[1:] for each in thresholds[1:]]
    every = np.concatenate(errors)
    chosen = int(np.argmax(every <= every.min() + TIE))
    feature = int(np.searchsorted(np.cumsum([len(each) for each in errors]), chosen, side="right"))
    place = chosen - sum(len(each) for each in errors[:feature])
    others = np.delete(every, chosen)
    gap = float(others.min() - every.min())
    return Stump(feature, float(thresholds[feature][place // 2]), 1 - 2 * (place % 2)), gap


def midpoints(values: np.ndarray) -> np.ndarray:
    """Thresholds between neighbouring ``values``; the lower value where rounding leaves nothing between them."""
    lower, upper = values[:-1], values[1:]
    middle = lower + (upper - lower) / 2
    return np.where(middle < upper, middle, lower)
