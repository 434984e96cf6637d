"""What the ranks begin with."""

from __future__ import annotations

from typing import Literal

import numpy as np

Data = Literal["normal", "constant", "cancelling", "mixed", "not_finite", "gradients"]


def draw(rng: np.random.Generator, data: Data, ranks: int, n: int) -> np.ndarray:
    """(ranks, n) float32.

    ``normal``; ``constant``, a third everywhere; ``cancelling``, 1e8 and -1e8 in turn along the ranks, with normal
    values added; ``mixed``, normal values times powers of ten from 1e-8 to 1e8; ``not_finite``, normal values of which
    one in eight is NaN of either sign or infinite; ``gradients`` of a network on handwritten digits.
    """
    if data == "constant":
        return np.full((ranks, n), 1 / 3, dtype=np.float32)
    if data == "gradients":
        return _gradients(rng, ranks, n)
    values = rng.standard_normal((ranks, n), dtype=np.float32)
    if data == "cancelling":
        signs = np.where(np.arange(ranks) % 2, -1.0, 1.0).astype(np.float32)
        values += np.float32(1e8) * signs[:, None]
    elif data == "mixed":
        values *= 10.0 ** rng.integers(-8, 9, size=(ranks, n)).astype(np.float32)
    elif data == "not_finite":
        odd = np.array([np.nan, -np.nan, np.inf, -np.inf], dtype=np.float32)
        where = rng.random((ranks, n)) < 1 / 8
        values[where] = rng.choice(odd, size=int(where.sum()))
    return values


def _gradients(rng: np.random.Generator, ranks: int, n: int) -> np.ndarray:
    """What data-parallel training would reduce in its first step, each rank's from 32 digits, cut or repeated to n."""
    from suites.data_parallel.reference import reference
    from suites.data_parallel.suite import make_inputs

    inputs = make_inputs(rng, hidden=32, depth=3, batch=32, workers=1, data="digits", steps=1)
    features, targets, start = inputs["features"], inputs["targets"], inputs["initial_parameters"]
    rate = inputs["settings"].learning_rate
    gradients = []
    for rank in range(ranks):
        rows = slice(32 * rank, 32 * (rank + 1))
        after = reference(features[rows], targets[rows], start, inputs["settings"])["parameters"]
        gradients.append(np.resize((start - after) / rate, n))
    return np.stack(gradients).astype(np.float32)
