"""Power iteration, one component at a time, each taken out of the table before the next one (Hotelling 1933)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract import implements
from impls.building_blocks.pca.ends import Fitted, fitted, project, require_rows
from suites.pca.suite import SUITE

RESIDUAL = 1e-7
MOST_STEPS = 20_000


# In float32 the residual that the tolerance needs is below rounding.
@implements(SUITE, dtypes=("float64",), kind="gram", limits={"n": 2000, "d": 64})
def pca(x: Any, k: int, seed: int) -> Iterator[Fitted | np.ndarray]:
    require_rows(x)
    rng = np.random.default_rng(seed)
    mean = x.mean(axis=0)
    left = x - mean
    nothing = np.finfo(x.dtype).eps * np.linalg.norm(left)
    components = np.zeros((k, x.shape[1]))
    variances = np.zeros(k)
    for j in range(k):
        direction = _orthogonal(rng.normal(size=x.shape[1]), components[:j])
        for _ in range(MOST_STEPS):
            image = left.T @ (left @ direction)
            size = np.linalg.norm(image)
            residual = np.linalg.norm(image - size * direction)
            if size <= nothing**2:
                break
            direction = _orthogonal(image, components[:j])
            if residual <= RESIDUAL * size:
                break
        scores = left @ direction
        components[j], variances[j] = direction, scores @ scores / (len(x) - 1)
        left = left - np.outer(scores, direction)
    model = fitted(mean, components, variances, x.dtype)
    yield model
    yield project(x, model)


def _orthogonal(vector: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The vector of length 1 without its part in the span of ``others``, which rounding brings back in."""
    for _ in range(2):
        vector = vector - (others @ vector) @ others
        vector = vector / np.linalg.norm(vector)
    return vector
