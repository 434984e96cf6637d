"""What the wrappers of scikit-learn's neighbour searches share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

METRIC_NAMES = {"l2": "euclidean", "linf": "chebyshev"}


def inside_ball(
    distances: Iterable[np.ndarray], indices: Iterable[np.ndarray], radius: float, closed: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Those of the rows of a slightly wider query that are in the closed or open ball."""
    kept = [
        (far[mask], chosen[mask])
        for far, chosen in zip(distances, indices, strict=True)
        for mask in [far <= radius if closed else far < radius]
    ]
    return [far for far, _ in kept], [chosen for _, chosen in kept]
