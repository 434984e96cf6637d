"""Two loops in pure Python, over features and over their sorted rows (Freund and Schapire 1997, figure 2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from harness.contract import implements
from suites.adaboost.suite import SUITE, TIE

Table = list[list[float]]
Stump = tuple[int, float, int]


@implements(SUITE, arrays="python", dtypes=("float64",), kind="exact", limits={"mode": ("reweight",), "n": 1_000})
def adaboost(
    x_train: Table, y_train: list[int], x_test: Table, rounds: int, mode: str, seed: int
) -> Iterator[tuple[list[int], list[float], list[int], list[float], list[float]] | list[float] | None]:
    yield None
    rows = len(y_train)
    weights = [1 / rows] * rows
    features, thresholds, polarities = [-1] * rounds, [0.0] * rounds, [0] * rounds
    alphas, errors = [0.0] * rounds, [0.5] * rounds
    for m in range(rounds):
        stump = _best_stump(x_train, y_train, weights)
        agrees = [_vote(stump, x) == y for x, y in zip(x_train, y_train, strict=True)]
        error = math.fsum(weight for weight, right in zip(weights, agrees, strict=True) if not right)
        if error >= 0.5 - TIE:
            break
        floored = error or 1 / (2 * rows)
        alphas[m], errors[m] = 0.5 * math.log((1 - floored) / floored), error
        features[m], thresholds[m], polarities[m] = stump
        if error == 0:
            break
        grown = [w * math.exp(-alphas[m] if right else alphas[m]) for w, right in zip(weights, agrees, strict=True)]
        total = math.fsum(grown)
        weights = [weight / total for weight in grown]
    yield features, thresholds, polarities, alphas, errors
    held = [each for each in zip(alphas, zip(features, thresholds, polarities, strict=True), strict=True) if each[0]]
    yield [math.fsum(alpha * _vote(stump, x) for alpha, stump in held) for x in x_test]


def _best_stump(x: Table, y: list[int], weights: list[float]) -> Stump:
    negative = math.fsum(weight for weight, label in zip(weights, y, strict=True) if label < 0)
    total = math.fsum(weights)
    best, chosen = negative, (0, -math.inf, 1)
    if total - negative < best - TIE:
        best, chosen = total - negative, (0, -math.inf, -1)
    for feature in range(len(x[0])):
        order = sorted(range(len(y)), key=lambda row: x[row][feature])
        plus = negative
        for row, after in pairwise(order):
            plus += weights[row] * y[row]
            lower, upper = x[row][feature], x[after][feature]
            if lower == upper:
                continue
            error = min(plus, total - plus)
            if error < best - TIE:
                middle = lower + (upper - lower) / 2
                best = error
                chosen = feature, middle if middle < upper else lower, 1 if plus <= error + TIE else -1
    return chosen


def _vote(stump: Stump, x: list[float]) -> int:
    feature, threshold, polarity = stump
    return polarity if x[feature] > threshold else -polarity
