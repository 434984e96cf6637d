"""Whether samples taken in a row, without the other contestants in between, tell another story."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIGNIFICANCE = 0.01
RELEVANT = 0.05
FEWEST = 3


def interferes(interleaved: Sequence[float], isolated: Sequence[float]) -> bool:
    """Whether the medians differ by more than a twentieth and the rank sums (Mann and Whitney 1947) beyond chance.

    With fewer than three samples on a side nothing can be said, and nothing is.
    """
    if min(len(interleaved), len(isolated)) < FEWEST:
        return False
    ratio = float(np.median(isolated) / np.median(interleaved))
    if 1 / (1 + RELEVANT) <= ratio <= 1 + RELEVANT:
        return False
    from scipy import stats

    return bool(stats.mannwhitneyu(interleaved, isolated, method="exact").pvalue < SIGNIFICANCE)
