"""The draw of the resampling mode, part of the contract, so that every implementation trains on the same rows."""

from __future__ import annotations

import numpy as np

REDRAWS = 10
"""How often a sample is drawn anew when the stump that it gives is no better than chance."""


def sorted_uniforms(rng: np.random.Generator, count: int) -> np.ndarray:
    """``count`` uniform numbers in increasing order, float64, without a sort.

    The spacings of a Poisson process, divided by its length, are those of uniform order statistics (Devroye 1986,
    Non-Uniform Random Variate Generation, section V.3). ``rng`` is ``numpy.random.default_rng(seed)`` at the first draw
    of a model, and is used for nothing else.
    """
    places = np.cumsum(rng.standard_exponential(count + 1))
    uniforms: np.ndarray = places[:-1] / places[-1]
    return uniforms


def draw_counts(weights: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """How often each row is drawn, int64 (rows,), when the cumulative ``weights`` are inverted at ``uniforms``."""
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
    return np.bincount(np.minimum(drawn, len(weights) - 1), minlength=len(weights))
