"""The draw of the resampling mode, which is part of the contract so that every implementation trains on the same rows."""

from __future__ import annotations

import numpy as np

REDRAWS = 10
"""How often a sample is drawn anew when the stump that it gives is no better than chance."""


def sorted_uniforms(seed: int, round_number: int, attempt: int, count: int) -> np.ndarray:
    """``count`` uniform numbers in increasing order, float64, without a sort.

    The spacings of a Poisson process, divided by its length, are those of uniform order statistics (Devroye 1986,
    Non-Uniform Random Variate Generation, section V.3). The generator is NumPy's PCG64 under
    ``[seed, round_number, attempt]``.
    """
    spacings = np.random.default_rng([seed, round_number, attempt]).standard_exponential(count + 1)
    places = np.cumsum(spacings)
    uniforms: np.ndarray = places[:-1] / places[-1]
    return uniforms


def draw_counts(weights: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """How often each row is drawn, int64 (rows,), when the cumulative ``weights`` are inverted at ``uniforms``."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return np.bincount(np.minimum(drawn, len(weights) - 1), minlength=len(weights))
