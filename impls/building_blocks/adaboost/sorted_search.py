"""The best stump from sorted columns in NumPy: one cumulative sum of signed weights for all thresholds of a feature."""

from __future__ import annotations

import numpy as np

from impls.building_blocks.adaboost.rounds import Stump, between, first_best
from suites.adaboost.suite import TIE


def best_stump(orders: np.ndarray, values: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Stump:
    """The stump of the least error under ``weights`` (rows,).

    :param orders: row numbers (features, rows) in increasing order of each feature.
    :param values: the features' values in that order.
    """
    signed = weights * y
    total = weights.sum()
    negative = weights[y < 0].sum()
    best, chosen = np.inf, Stump(0, -np.inf, 1)
    for polarity, error in ((1, negative), (-1, total - negative)):
        if error < best - TIE * total:
            best, chosen = error, Stump(0, -np.inf, polarity)
    for feature, (order, column) in enumerate(zip(orders, values, strict=True)):
        places = np.flatnonzero(column[1:] > column[:-1])
        if not len(places):
            continue
        plus = (negative + np.cumsum(signed[order])[places]) / total
        place, error = first_best(plus, 1.0)
        if error * total < best - TIE * total:
            best = error * total
            i = places[place]
            polarity = 1 if plus[place] <= error + TIE else -1
            chosen = Stump(feature, between(column[i], column[i + 1]), polarity)
    return chosen
