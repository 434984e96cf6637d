"""How far an estimate is from the exact one, by kind of implementation, as the share of what the kind is allowed.

- ``exact``: closed forms and optimisers, 1e-8 relative to the largest coordinate.
- ``grid``: 1e-6 posterior deviations.
- ``laplace``: a normal approximation, right for a normal posterior (1e-8), for coefficients within a quarter of a
  deviation, for a share within twice the skewness of its log-odds, the first term that the approximation leaves out.
- ``sampler``: within four Monte-Carlo standard errors for the effective draws that the contract asks for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from harness.contract import Arrays, Inputs

RELATIVE = 1e-8
OF_DEVIATION = {"exact": 1e-8, "grid": 1e-6, "laplace": 0.25}
STANDARD_ERRORS = 4.0
HEAVY_TAILS = 1.5
"""Standard error of a deviation over that of a mean, for a kurtosis of 10; a normal distribution has 0.7."""
LEAST_OF_SHARE = 0.1
"""Of a deviation: what later terms may come to where the log-odds have no skewness."""
PROBABILITIES = np.array([0.025, 0.5, 0.975])


def measure_errors(outputs: Arrays, expected: Arrays, inputs: Inputs, kind: str) -> Mapping[str, float]:
    """The error of ``centre`` and ``spread`` over what ``kind`` is allowed."""
    centre, spread = expected["centre"], expected["spread"]
    if not len(spread):
        size = max(float(np.abs(centre).max()), np.finfo(np.float64).tiny)
        difference = float(np.max(np.abs(outputs["centre"] - centre))) / size
        return {"centre": difference / RELATIVE, "spread": 0.0}
    if kind == "sampler":
        allowed_centre, allowed_spread = _standard_errors(spread, int(inputs["effective"]))
    else:
        allowed = _of_normal_approximation(inputs) if kind == "laplace" else OF_DEVIATION[kind]
        allowed_centre, allowed_spread = allowed * spread[0], allowed * np.tile(spread[0], (4, 1))
        if kind == "exact":
            allowed_centre = allowed_centre + RELATIVE * np.abs(centre)
    return {
        "centre": float(np.max(np.abs(outputs["centre"] - centre) / allowed_centre)),
        "spread": float(np.max(np.abs(outputs["spread"] - spread) / allowed_spread)),
    }


def _of_normal_approximation(inputs: Inputs) -> float:
    """In posterior deviations; the log-odds under a Beta(a, b) have a skewness of (b - a) / sqrt(a b (a + b))."""
    if inputs["model"] != "bernoulli":
        return OF_DEVIATION["exact" if inputs["model"] == "linear" else "laplace"]
    successes = float(inputs["y"].sum())
    a, b = float(inputs["prior"][0]) + successes, float(inputs["prior"][1]) + len(inputs["y"]) - successes
    return LEAST_OF_SHARE + 2 * abs(b - a) / math.sqrt(a * b * (a + b))


def _standard_errors(spread: np.ndarray, effective: int) -> tuple[np.ndarray, np.ndarray]:
    """Four standard errors of the mean, the deviation and the quantiles, of so many independent draws.

    The density at a quantile is that of a normal distribution with a width taken from the quantiles on that side.
    """
    deviation = spread[0]
    below, above = (spread[2] - spread[1]) / 1.96, (spread[3] - spread[2]) / 1.96
    density = np.exp(-0.5 * np.array([1.96, 0.0, 1.96]) ** 2) / np.sqrt(2 * np.pi)
    widths = np.array([below, np.maximum(below, above), above])
    of_quantiles = np.sqrt(PROBABILITIES * (1 - PROBABILITIES))[:, None] * widths / density[:, None]
    of_spread = np.concatenate([[HEAVY_TAILS * deviation], of_quantiles])
    factor = STANDARD_ERRORS / np.sqrt(effective)
    return factor * deviation, factor * of_spread
