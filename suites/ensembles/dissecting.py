"""Squared error taken apart over training sets, and intervals of what is computed from all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np


def shares(predictions: np.ndarray, target: np.ndarray) -> Mapping[str, float]:
    """``variance`` and ``squared_bias``, averaged over test points, from ``predictions`` (training sets, points).

    The squared difference of the mean prediction and the noise-free ``target`` holds a part of the variance, that of a
    mean of so many predictions, which is taken off (Domingos 2000 for the parts; the correction is the plain one).
    """
    count = len(predictions)
    variance = predictions.var(axis=0, ddof=1)
    squared_bias = (predictions.mean(axis=0) - target) ** 2 - variance / count
    return {"variance": float(variance.mean()), "squared_bias": float(squared_bias.mean())}


def jackknife(statistic: Callable[[np.ndarray], float], count: int) -> list[float]:
    """Pseudo-values of a statistic of ``count`` items, each of which can be left out (Tukey 1958).

    Their mean is the estimate with its first-order bias removed, and Student's interval of them is its interval.

    :param statistic: from the numbers of the items that are kept to the statistic.
    """
    every = np.arange(count)
    whole = statistic(every)
    return [count * whole - (count - 1) * statistic(np.delete(every, i)) for i in range(count)]
