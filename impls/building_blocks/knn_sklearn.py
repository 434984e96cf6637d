"""What the wrappers of scikit-learn's neighbour searches share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

METRIC_NAMES = {"l2": "euclidean", "linf": "chebyshev"}


def open_ball(
    distances: Iterable[np.ndarray], indices: Iterable[np.ndarray], radius: float, closed: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The rows of a radius query, which are of a closed ball, without the points on the sphere unless ``closed``."""
    if closed:
        return list(distances), list(indices)
    pairs = [(far[far < radius], chosen[far < radius]) for far, chosen in zip(distances, indices, strict=True)]
    return [far for far, _ in pairs], [chosen for _, chosen in pairs]
