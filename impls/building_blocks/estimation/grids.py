"""Moments and quantiles of a density that is known on a grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

PROBABILITIES = (0.025, 0.5, 0.975)


def summarise(places: np.ndarray, log_density: np.ndarray, constrain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Mean, deviation and three quantiles (5,) of ``constrain(u)``, which must rise with u.

    Sums over a uniform grid converge faster than any power of the grid's step where the density is smooth and vanishes
    at both ends. Quantiles come from the integral of the spline through the density.

    :param places: uniform (G,).
    :param log_density: there, up to a constant.
    """
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    values = constrain(places)
    mean = float(density @ values)
    deviation = float(np.sqrt(density @ (values - mean) ** 2))
    cumulative = CubicSpline(places, density).antiderivative()
    total = float(cumulative(places[-1]))
    ends = [brentq(lambda u, q=q: float(cumulative(u)) - q * total, places[0], places[-1]) for q in PROBABILITIES]
    return np.array([mean, deviation, *constrain(np.array(ends))])


def bulk(log_density: Callable[[np.ndarray], np.ndarray], middle: float, points: int) -> np.ndarray:
    """A uniform grid (points,) over where the density is at least e^-40 of its value at ``middle``, by doubling."""
    ends = []
    highest = float(log_density(np.array([middle]))[0])
    for sign in (-1.0, 1.0):
        reach = 1e-3
        while highest - float(log_density(np.array([middle + sign * reach]))[0]) < 40 and reach < 1e4:
            reach *= 1.3
        ends.append(middle + sign * reach)
    return np.linspace(ends[0], ends[1], points)
